import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './test-sluice.ts';

export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** An authority of one's own, whose certificate is trusted by who is given it. */
export interface TestAuthority {
  readonly certificateFile: string;
  /** The same, in PEM. */
  readonly certificate: string;
  issue(options: IssueOptions): IssuedCertificate;
}

export interface IssuedCertificate extends CertificateFiles {
  /** In PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface IssueOptions {
  readonly for: 'server' | 'client';
  /** As openssl writes them, such as `DNS:a.example,IP:127.0.0.1`; none when left out. */
  readonly names?: string;
  readonly commonName?: string;
  /** How long it is valid; with -1 it ended before it began. */
  readonly days?: number;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A key and a self-signed certificate of its own for a host name, made by openssl, gone after the test. */
export function makeCertificate(
  host: string,
  newKey: readonly string[] = NEW_KEY,
): CertificateFiles {
  const directory = temporaryDirectory();
  const certificateFile = join(directory, 'server.pem');
  const keyFile = join(directory, 'server.key');
  const name = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  openssl(['req', '-x509', '-days', '1', '-nodes', ...newKey, ...name, ...files]);
  return { certificateFile, keyFile };
}

/** Made by openssl in `directory`, by default one that is gone after the test. */
export function makeAuthority(
  name = 'Test Authority',
  directory = temporaryDirectory(),
): TestAuthority {
  const certificateFile = join(directory, 'authority.pem');
  const keyFile = join(directory, 'authority.key');
  const extensions = [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign,cRLSign',
  ].flatMap((extension) => ['-addext', extension]);
  const files = ['-keyout', keyFile, '-out', certificateFile];
  openssl([
    'req',
    '-x509',
    '-days',
    '2',
    ...NEW_KEY,
    '-subj',
    `/CN=${name}`,
    ...extensions,
    ...files,
  ]);
  let issued = 0;
  return {
    certificateFile,
    certificate: readFileSync(certificateFile, 'utf8'),
    issue(options) {
      issued += 1;
      const base = join(directory, `${options.for}-${issued}`);
      return issue({ ...options, base, authority: { certificateFile, keyFile } });
    },
  };
}

function issue(
  options: IssueOptions & { readonly base: string; readonly authority: CertificateFiles },
): IssuedCertificate {
  const { base, authority, names, commonName = 'test', days = 1 } = options;
  const certificateFile = `${base}.pem`;
  const keyFile = `${base}.key`;
  const requestFile = `${base}.csr`;
  const extensionsFile = `${base}.cnf`;
  openssl([
    'req',
    ...NEW_KEY,
    '-subj',
    `/CN=${commonName}`,
    '-keyout',
    keyFile,
    '-out',
    requestFile,
  ]);
  const extensions = [
    'basicConstraints=CA:FALSE',
    `extendedKeyUsage=${options.for}Auth`,
    ...(names === undefined ? [] : [`subjectAltName=${names}`]),
  ];
  writeFileSync(extensionsFile, `${extensions.join('\n')}\n`);
  const signer = ['-CA', authority.certificateFile, '-CAkey', authority.keyFile, '-CAcreateserial'];
  const files = ['-in', requestFile, '-extfile', extensionsFile, '-out', certificateFile];
  openssl(['x509', '-req', '-days', String(days), ...signer, ...files]);
  return {
    certificateFile,
    keyFile,
    certificate: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
  };
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
