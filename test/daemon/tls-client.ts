import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { makeAuthority, type TestAuthority } from '../support/certificate.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';

/** A pair of files whose content is replaced, as those do that renew certificates. */
export function replaceableCertificate() {
  const directory = temporaryDirectory();
  const authority = makeAuthority();
  const files = {
    certificateFile: join(directory, 'server.pem'),
    keyFile: join(directory, 'server.key'),
  };
  const use = (names: string): void => {
    const issued = authority.issue({ for: 'server', names });
    copyFileSync(issued.certificateFile, files.certificateFile);
    copyFileSync(issued.keyFile, files.keyFile);
  };
  return { authority, files, use };
}

/** A client of DNS over TLS that trusts the authority and looks at no name. */
export async function openTls(port: number, authority: TestAuthority): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: authority.certificate,
    ALPNProtocols: ['dot'],
    checkServerIdentity: () => undefined,
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** The names in the certificate that the server showed. */
export function nameIn(socket: TLSSocket): string | undefined {
  return socket.getPeerCertificate().subjectaltname;
}
