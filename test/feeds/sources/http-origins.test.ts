import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createServer as createPlainServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isPrivateAddress } from '../../../src/feeds/sources/private-address.ts';
import { requirePeer } from '../../interop/peers/require-peer.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { bodyOf, failureOf, get, startRawServer } from './fetching.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na.example\n';
const redirect = (to: string) =>
  `HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`;

describe('credentials', () => {
  it('go to the first origin, along its own redirects, and to no other one', async () => {
    const other = await startRawServer((socket) => socket.end(OK));
    const first = await startRawServer((socket, request) =>
      socket.end(redirect(request.startsWith('GET /one ') ? '/two' : other.url)),
    );
    const credentials = { kind: 'bearer', token: 't0ken' } as const;
    await bodyOf(get(`${first.url}one`, { credentials }));
    expect(first.requests.map((head) => head.includes('Bearer t0ken'))).toEqual([true, true]);
    expect(other.requests.map((head) => head.includes('t0ken'))).toEqual([false]);
  });

  it('do not come back with a redirect that another origin chose', async () => {
    const other = await startRawServer((socket) => socket.end(redirect(`${first.url}elsewhere`)));
    const first = await startRawServer((socket, request) =>
      socket.end(request.startsWith('GET /elsewhere') ? OK : redirect(other.url)),
    );
    const credentials = { kind: 'header', name: 'X-Api-Key', value: 'k3y' } as const;
    await bodyOf(get(first.url, { credentials }));
    expect(first.requests.map((head) => head.includes('k3y'))).toEqual([true, false]);
  });

  it('are refused where they break HTTP, and not repeated', async () => {
    const bad = [
      { kind: 'bearer', token: 's3cret\r\nX-Other: 1' },
      { kind: 'header', name: 'Host', value: 's3cret' },
      { kind: 'header', name: 's3cret name', value: 'x' },
      { kind: 'basic', user: 's3cret:user', password: 'x' },
    ] as const;
    for (const credentials of bad) {
      const failure = await failureOf(get('http://127.0.0.1:1/', { credentials }));
      expect(failure.reason).toBe('credentials');
      expect(failure.message).not.toContain('s3cret');
    }
  });

  it('are not taken from a URL, of the feed or of a redirect', async () => {
    const own = await failureOf(get('http://user:s3cret@127.0.0.1/'));
    expect([own.reason, own.message.includes('s3cret')]).toEqual(['url', false]);
    const server = await startRawServer((socket) =>
      socket.end(redirect('http://user:s3cret@127.0.0.1/')),
    );
    const away = await failureOf(get(server.url));
    expect([away.reason, away.message.includes('s3cret')]).toEqual(['redirect', false]);
  });
});

describe('a URL', () => {
  it('must be one of HTTP', async () => {
    for (const url of ['names.txt', 'file:///etc/passwd', 'ftp://feeds.example/names.txt']) {
      expect((await failureOf(get(url))).reason).toBe('url');
    }
  });
});

describe('an address that is not public', () => {
  const refused = [
    '0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255',
    '192.168.1.1 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 240.0.0.1 255.255.255.255',
    ':: ::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::10.0.0.1 fc00::1',
    'fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 2001:db8::1 2002:7f00:1::1 100::1 nonsense',
  ].flatMap((line) => line.split(' '));
  const taken = [
    '1.1.1.1 8.8.8.8 9.9.9.9 172.15.255.255 172.32.0.1 100.128.0.1 192.169.0.1 223.255.255.255',
    '2606:4700:4700::1111 2620:fe::fe 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8',
  ].flatMap((line) => line.split(' '));

  it('is known in all its forms', () => {
    expect(refused.filter((address) => !isPrivateAddress(address))).toEqual([]);
    expect(taken.filter((address) => isPrivateAddress(address))).toEqual([]);
  });

  it('is refused in a URL, however it is written', async () => {
    const server = await startRawServer((socket) => socket.end(OK));
    const hosts = ['127.0.0.1', '2130706433', '0x7f.1', '127.1', '[::ffff:127.0.0.1]', '[::1]'];
    for (const host of [...hosts, 'localhost', '0']) {
      const url = `http://${host}:${server.port}/`;
      const failure = await failureOf(get(url, { allowPrivate: false }));
      expect([host, failure.reason]).toEqual([host, 'private-address']);
    }
    expect(server.requests).toEqual([]);
  });

  it('is refused when a name has it, which is asked once: for the connection', async () => {
    const server = await startRawServer((socket) => socket.end(OK));
    const asked: string[] = [];
    const resolve = async (name: string) => {
      asked.push(name);
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const url = `http://feeds.example:${server.port}/`;
    const failure = await failureOf(get(url, { allowPrivate: false, resolve }));
    expect(failure.reason).toBe('private-address');
    expect(failure.message).toContain('feeds.example is at 127.0.0.1');
    // A name that is asked for twice may have another address the second time.
    expect(asked).toEqual(['feeds.example']);
    expect(server.requests).toEqual([]);
  });
});

describe.skipIf(!requirePeer('openssl'))('a server over TLS', () => {
  const seen: string[] = [];
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];

  /** A server for feeds.example, whose certificate is trusted until the test ends, or is not. */
  async function startTls(how: { trusted: boolean; location?: string }): Promise<number> {
    const { certificateFile, keyFile } = makeCertificate('feeds.example');
    const [cert, key] = [readFileSync(certificateFile, 'utf8'), readFileSync(keyFile)];
    if (how.trusted) {
      const before = getCACertificates('default');
      setDefaultCACertificates([...before, cert]);
      onTestFinished(() => setDefaultCACertificates(before));
    }
    const server = createServer({ key, cert }, (request, response) => {
      seen.push(request.headers.authorization ?? 'none');
      if (how.location !== undefined) response.writeHead(302, { location: how.location });
      response.end(how.location === undefined ? 'a.example\n' : '');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  it('is refused when nobody vouches for it, whatever the environment says', async () => {
    const port = await startTls({ trusted: false });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    onTestFinished(() => void delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
    const credentials = { kind: 'bearer', token: 't0ken' } as const;
    const url = `https://feeds.example:${port}/`;
    const failure = await failureOf(get(url, { resolve, credentials }));
    expect([failure.reason, failure.message]).toEqual([
      'tls',
      expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
    ]);
    expect(seen).toEqual([]);
  });

  it('is taken when its certificate is trusted and names it, and refused under another name', async () => {
    const port = await startTls({ trusted: true });
    const got = await bodyOf(get(`https://feeds.example:${port}/`, { resolve }));
    expect(got.text).toBe('a.example\n');
    const other = await failureOf(get(`https://other.example:${port}/`, { resolve }));
    expect([other.reason, other.message]).toEqual([
      'tls',
      expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    ]);
  });

  it('may not send on to http when there are credentials', async () => {
    const plain = await startRawServer((socket) => socket.end(OK));
    const port = await startTls({ trusted: true, location: plain.url });
    const url = `https://feeds.example:${port}/`;
    const credentials = { kind: 'bearer', token: 't0ken' } as const;
    const failure = await failureOf(get(url, { resolve, credentials }));
    expect([failure.reason, failure.message.includes('t0ken')]).toEqual(['redirect', false]);
    expect(plain.requests).toEqual([]);
    expect((await bodyOf(get(url, { resolve }))).text).toBe('a.example\n');
  });

  it('is told apart from a server that does not speak TLS', async () => {
    const plain = createPlainServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void plain.close());
    await once(plain, 'listening');
    const bound = plain.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    expect((await failureOf(get(`https://127.0.0.1:${port}/`))).reason).toBe('tls');
  });
});
