import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type CookieSecrets, parseCookieSecrets } from '../dns/cookie-secrets.ts';
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
  return readIdentity('http.tls', certificateFile, keyFile);
}

/** What `dns.tls` names: the identity of the server, and whose client certificates it accepts. */
export interface DnsTlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Null when no client certificate is asked for. */
  readonly clientAuthorities: string | null;
}

/**
 * The files that `dns.tls` names, in PEM; null when DNS is not spoken over TLS. Throws a
 * ConfigurationError when OpenSSL could not use them: at the start as well as when they are read
 * again, where whoever asks goes on with those from before.
 */
export function loadDnsTls({ dns: { tls } }: Config): DnsTlsFiles | null {
  const { listen, certificateFile, keyFile, clientAuthoritiesFile } = tls;
  if (listen.length === 0 || certificateFile === null || keyFile === null) return null;
  const identity = readIdentity('dns.tls', certificateFile, keyFile);
  checkCertificates(certificateFile, identity.certificate);
  orProblem(
    certificateFile,
    'and its key are not accepted by OpenSSL, being too weak perhaps',
    () => createSecureContext({ cert: identity.certificate, key: identity.key }),
  );
  if (clientAuthoritiesFile === null) return { ...identity, clientAuthorities: null };
  const setting = 'dns.tls.clientAuthoritiesFile';
  const clientAuthorities = readNamedFile(setting, clientAuthoritiesFile);
  for (const certificate of checkCertificates(clientAuthoritiesFile, clientAuthorities)) {
    if (certificate.ca) continue;
    const { subject } = certificate;
    throw problemWith(
      clientAuthoritiesFile,
      `has a certificate that is not of an authority: ${JSON.stringify(subject)}`,
    );
  }
  return { ...identity, clientAuthorities };
}

function readIdentity(
  section: 'http.tls' | 'dns.tls',
  certificateFile: string,
  keyFile: string,
): { readonly certificate: string; readonly key: string } {
  const certificate = readNamedFile(`${section}.certificateFile`, certificateFile);
  const key = readNamedFile(`${section}.keyFile`, keyFile);
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

/** RFC 7468 section 5. */
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** All the certificates of a file, of which there is one at least. */
function checkCertificates(file: string, text: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE_BLOCK) ?? [];
  if (blocks.length === 0) throw problemWith(file, 'has no certificate in PEM');
  return blocks.map((block, at) =>
    orProblem(file, `has something else in place of certificate ${at + 1}`, () => {
      return new X509Certificate(block);
    }),
  );
}

/** The secrets in the file that `dns.cookies` names; null when the server makes its own. */
export function loadCookieSecrets({ dns: { cookies } }: Config): CookieSecrets | null {
  const { secretFile } = cookies;
  if (secretFile === null) return null;
  const text = readNamedFile('dns.cookies.secretFile', secretFile);
  try {
    return parseCookieSecrets(text);
  } catch (error) {
    throw problemWith(secretFile, error instanceof Error ? error.message : String(error));
  }
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
