import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryDirectory } from './test-sluice.ts';

export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** A key and a self-signed certificate of its own for a host name, made by openssl, gone after the test. */
export function makeCertificate(host: string): CertificateFiles {
  const directory = temporaryDirectory();
  const certificateFile = join(directory, 'server.pem');
  const keyFile = join(directory, 'server.key');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const name = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  execFileSync('openssl', ['req', '-x509', '-days', '1', ...key, ...name, ...files], {
    stdio: 'pipe',
  });
  return { certificateFile, keyFile };
}
