import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { loadTlsIdentity, parseConfig } from '../../src/config/index.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { type CertificateFiles, makeCertificate } from '../support/certificate.ts';
import { startTestSluice, temporaryDirectory } from '../support/test-sluice.ts';
import { cookieLine, makeUser, PASSWORD, send } from './people.ts';
import { scene } from './scene.ts';

const yamlOf = ({ certificateFile, keyFile }: CertificateFiles) =>
  `sampleCatalogue: false\nhttp: {tls: {certificateFile: ${certificateFile}, keyFile: ${keyFile}}}`;

function httpsGet(port: number, ca: string, path: string, token: string) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      const options = { host: '127.0.0.1', servername: 'localhost', port, path, ca, headers };
      get(options, (response) => {
        let body = '';
        response.on('data', (data) => (body += data));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      }).on('error', reject);
    },
  );
}

/** The version that a handshake agrees on; rejects when there is none. */
function handshake(port: number, ca: string, version: SecureVersion): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const versions = { minVersion: version, maxVersion: version } as const;
    // Old versions are switched off in our own library, too, unless it is asked for them.
    const ciphers = 'DEFAULT:@SECLEVEL=0';
    const options = { host: '127.0.0.1', servername: 'localhost', port, ca, ciphers, ...versions };
    const socket = connect(options, () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

const withOpenssl = describe.skipIf(!requirePeer('openssl'));

withOpenssl('the admin API over TLS', () => {
  it('is HTTPS, and tells browsers to stay with it', async () => {
    const files = makeCertificate('localhost');
    const ca = readFileSync(files.certificateFile, 'utf8');
    const { http, adminToken } = await startTestSluice({ yaml: yamlOf(files) });
    const answer = await httpsGet(http.port, ca, '/api/v1/session', adminToken);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ role: 'admin', account: { label: 'main' } });
    expect(answer.headers['strict-transport-security']).toBe('max-age=15552000');
    await expect(fetch(`http://127.0.0.1:${http.port}/health`)).rejects.toThrow();
  });

  it('takes TLS 1.2 and 1.3 and nothing older, and keeps its cookies to it', async () => {
    const files = makeCertificate('localhost');
    const ca = readFileSync(files.certificateFile, 'utf8');
    const key = readFileSync(files.keyFile, 'utf8');
    const made = await scene({ tls: { certificate: ca, key } });
    const { app } = made;
    await makeUser(made);
    const body = { name: 'ada', password: PASSWORD };
    const login = await send(made, { method: 'POST', url: '/session', body });
    expect(cookieLine(login, 'sluice_session')).toContain('; Secure');
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    expect(await handshake(port, ca, 'TLSv1.3')).toBe('TLSv1.3');
    expect(await handshake(port, ca, 'TLSv1.2')).toBe('TLSv1.2');
    await expect(handshake(port, ca, 'TLSv1.1')).rejects.toThrow();
  });

  it('answers bytes that are no HTTP with a problem, as without TLS', async () => {
    const files = makeCertificate('localhost');
    const ca = readFileSync(files.certificateFile, 'utf8');
    const key = readFileSync(files.keyFile, 'utf8');
    const { app } = await scene({ tls: { certificate: ca, key } });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca }, () =>
        socket.write('nonsense\r\n\r\n'),
      );
      let received = '';
      socket.on('data', (data) => (received += data.toString()));
      socket.on('end', () => resolve(received)).on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  it('without TLS sets no such header and no such cookie', async () => {
    const made = await scene();
    await makeUser(made);
    const body = { name: 'ada', password: PASSWORD };
    const answer = await send(made, { method: 'POST', url: '/session', body });
    expect(answer.headers).not.toHaveProperty('strict-transport-security');
    expect(cookieLine(answer, 'sluice_session')).not.toContain('Secure');
  });
});

withOpenssl('the files of http.tls', () => {
  const load = (files: CertificateFiles) => () =>
    loadTlsIdentity(parseConfig(yamlOf(files), 'test'));

  it('are read when they fit together', () => {
    const files = makeCertificate('localhost');
    expect(load(files)()).toEqual({
      certificate: readFileSync(files.certificateFile, 'utf8'),
      key: readFileSync(files.keyFile, 'utf8'),
    });
    expect(loadTlsIdentity(parseConfig('', 'test'))).toBeNull();
  });

  it('that cannot be used are refused at the start, by their names and without quoting them', () => {
    const files = makeCertificate('localhost');
    const other = makeCertificate('localhost');
    const missing = join(temporaryDirectory(), 'missing.pem');
    expect(load({ ...files, keyFile: missing })).toThrow(
      `${missing}: which http.tls.keyFile names, cannot be read: ENOENT`,
    );
    expect(load({ ...files, certificateFile: files.keyFile })).toThrow(
      `${files.keyFile}: is no certificate in PEM`,
    );
    expect(load({ ...files, keyFile: files.certificateFile })).toThrow(
      `${files.certificateFile}: is no private key in PEM without a passphrase`,
    );
    expect(load({ ...files, keyFile: other.keyFile })).toThrow(
      `${other.keyFile}: is not the key of the first certificate in ${files.certificateFile}`,
    );
    const garbage = join(temporaryDirectory(), 'garbage');
    writeFileSync(garbage, 'secret nonsense');
    expect(load({ ...files, keyFile: garbage })).not.toThrow('secret nonsense');
  });
});
