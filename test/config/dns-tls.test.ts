import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, loadDnsTls, parseConfig } from '../../src/config/index.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { makeAuthority, makeCertificate } from '../support/certificate.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';

interface Files {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientAuthoritiesFile?: string;
}

const LISTEN = '[{address: "::1", port: 853}]';

function load({ certificateFile, keyFile, clientAuthoritiesFile = 'none' }: Files) {
  const tls = `{listen: ${LISTEN}, certificateFile: ${certificateFile}, keyFile: ${keyFile}, clientAuthoritiesFile: ${clientAuthoritiesFile}}`;
  return loadDnsTls(parseConfig(`dns: {tls: ${tls}}`, 'test'));
}

function refusal(yaml: string): string {
  try {
    parseConfig(yaml, 'f');
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return 'accepted';
}

function fileOf(text: string): string {
  const file = join(temporaryDirectory(), 'some.pem');
  writeFileSync(file, text);
  return file;
}

describe('the settings of DNS over TLS', () => {
  it.each([
    [
      'dns: {tls: {certificateFile: a.pem}}',
      'f:1:30: dns.tls.certificateFile: certificateFile and keyFile are given both or not at all',
    ],
    [
      'dns: {tls: {keyFile: a.key}}',
      'f:1:22: dns.tls.keyFile: certificateFile and keyFile are given both or not at all',
    ],
    [
      `dns: {tls: {listen: ${LISTEN}}}`,
      'f:1:21: dns.tls.listen: listen needs certificateFile and keyFile',
    ],
    [
      'dns: {listen: [{address: "::1", port: 53}], tls: {listen: [{address: "::1", port: 53}], certificateFile: a, keyFile: b}}',
      'f:1:59: dns.tls.listen: ::1 port 53 is in dns.listen already: TLS needs a port of its own',
    ],
  ])('%s are refused', (yaml, message) => {
    expect(refusal(yaml)).toBe(message);
  });

  it('may name files without an address to listen on, and then the files are not read', () => {
    const yaml = 'dns: {tls: {certificateFile: missing.pem, keyFile: missing.key}}';
    expect(loadDnsTls(parseConfig(yaml, 'test'))).toBeNull();
    expect(loadDnsTls(parseConfig('', 'test'))).toBeNull();
  });
});

describe.skipIf(!requirePeer('openssl'))('the files of DNS over TLS', () => {
  const read = (file: string): string => readFileSync(file, 'utf8');

  it('are read when they fit together', () => {
    const authority = makeAuthority();
    const { certificateFile, keyFile, certificate, key } = authority.issue({ for: 'server' });
    const { certificateFile: clientAuthoritiesFile } = authority;
    expect(load({ certificateFile, keyFile })).toEqual({
      certificate,
      key,
      clientAuthorities: null,
    });
    expect(load({ certificateFile, keyFile, clientAuthoritiesFile })).toEqual({
      certificate,
      key,
      clientAuthorities: authority.certificate,
    });
  });

  it('may be a chain, and several authorities, with text between them', () => {
    const authority = makeAuthority();
    const { certificate, keyFile } = authority.issue({ for: 'server' });
    const chain = `the server:\n${certificate}\nwho signed it:\n${authority.certificate}`;
    const authorities = `${authority.certificate}${makeAuthority('Another').certificate}`;
    const files = {
      certificateFile: fileOf(chain),
      keyFile,
      clientAuthoritiesFile: fileOf(authorities),
    };
    expect(load(files)).toMatchObject({ certificate: chain, clientAuthorities: authorities });
  });

  it('that cannot be used are refused by their names, and without quoting them', () => {
    const authority = makeAuthority();
    const { certificateFile, keyFile, certificate } = authority.issue({ for: 'server' });
    const good = { certificateFile, keyFile };
    const missing = join(temporaryDirectory(), 'missing.pem');
    const broken = fileOf(
      `${certificate}-----BEGIN CERTIFICATE-----\nc2VjcmV0IG5vbnNlbnNl\n-----END CERTIFICATE-----\n`,
    );
    const empty = fileOf('secret nonsense');
    const other = makeCertificate('localhost');
    const wrong: [Files, string][] = [
      [
        { ...good, keyFile: missing },
        `${missing}: which dns.tls.keyFile names, cannot be read: ENOENT`,
      ],
      [
        { ...good, clientAuthoritiesFile: missing },
        `${missing}: which dns.tls.clientAuthoritiesFile names, cannot be read: ENOENT`,
      ],
      [{ ...good, certificateFile: keyFile }, `${keyFile}: is no certificate in PEM`],
      [
        { ...good, certificateFile: broken },
        `${broken}: has something else in place of certificate 2`,
      ],
      [
        { ...good, keyFile: other.keyFile },
        `${other.keyFile}: is not the key of the first certificate in ${certificateFile}`,
      ],
      [{ ...good, clientAuthoritiesFile: empty }, `${empty}: has no certificate in PEM`],
      [
        { ...good, clientAuthoritiesFile: broken },
        `${broken}: has something else in place of certificate 2`,
      ],
      [
        { ...good, clientAuthoritiesFile: certificateFile },
        `${certificateFile}: has a certificate that is not of an authority: "CN=test"`,
      ],
    ];
    for (const [files, message] of wrong) {
      expect(() => load(files)).toThrow(message);
      expect(() => load(files)).not.toThrow('secret nonsense');
    }
    expect(read(certificateFile)).toBe(certificate);
  });

  it('that OpenSSL takes for too weak are refused before anybody connects', () => {
    const { certificateFile, keyFile } = makeCertificate('localhost', ['-newkey', 'rsa:512']);
    expect(() => load({ certificateFile, keyFile })).toThrow('not accepted by OpenSSL');
  });
});
