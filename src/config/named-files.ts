import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { ConfigurationError } from './problem.ts';
import type { Config } from './settings.ts';

/** Far above any certificate chain; keeps a wrong path from being read into memory. */
const FILE_OCTETS_MAX = 2 ** 20;

/**
 * The certificate and key that `http.tls` names, in PEM; null for plain HTTP. Throws a
 * ConfigurationError when they cannot be used, so that it shows at the start and not at a handshake.
 */
export function loadTlsIdentity({
  http: { tls },
}: Config): { readonly certificate: string; readonly key: string } | null {
  const { certificateFile, keyFile } = tls;
  if (certificateFile === null || keyFile === null) return null;
  const certificate = readNamedFile('http.tls.certificateFile', certificateFile);
  const key = readNamedFile('http.tls.keyFile', keyFile);
  const leaf = orProblem(certificateFile, 'is no certificate in PEM', () => {
    return new X509Certificate(certificate);
  });
  const privateKey = orProblem(keyFile, 'is no private key in PEM without a passphrase', () => {
    return createPrivateKey(key);
  });
  if (!leaf.checkPrivateKey(privateKey)) {
    throw problemWith(keyFile, `is not the key of the first certificate in ${certificateFile}`);
  }
  return { certificate, key };
}

/** The secret in the file that `http.openid` names, without the end of its line; null for none. */
export function loadClientSecret({ http: { openid } }: Config): string | null {
  if (openid.clientSecretFile === null) return null;
  const secret = readNamedFile('http.openid.clientSecretFile', openid.clientSecretFile).trim();
  if (secret === '') throw problemWith(openid.clientSecretFile, 'is empty');
  return secret;
}

function readNamedFile(setting: string, file: string): string {
  try {
    const { size } = statSync(file);
    if (size > FILE_OCTETS_MAX) throw new Error(`it is larger than ${FILE_OCTETS_MAX} octets`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw problemWith(file, `which ${setting} names, cannot be read: ${why}`);
  }
}

function orProblem<Value>(file: string, message: string, read: () => Value): Value {
  try {
    return read();
  } catch {
    // What the library says of a key may quote from it.
    throw problemWith(file, message);
  }
}

function problemWith(file: string, message: string): ConfigurationError {
  return new ConfigurationError([{ file, position: null, path: '', message }]);
}
