import { describe, expect, it, vi } from 'vitest';
import { bodyOf, failureOf, get, startRawServer } from './fetching.ts';

// Here 127.0.0.1 plays the part of the one public address, since no server of a test has one.
vi.mock('../../../src/feeds/sources/private-address.ts', () => ({
  isPrivateAddress: (address: string) => address !== '127.0.0.1',
}));

describe('a public server', () => {
  it('may not send on to an address that is not public, written out or behind a name', async () => {
    const targets = ['http://127.0.0.2:9/', 'http://[::1]:9/', 'http://inside.example:9/'];
    for (const target of targets) {
      const server = await startRawServer((socket) =>
        socket.end(`HTTP/1.1 302 Found\r\nLocation: ${target}\r\nContent-Length: 0\r\n\r\n`),
      );
      const resolve = async () => [{ address: '10.0.0.1', family: 4 }];
      const failure = await failureOf(get(server.url, { allowPrivate: false, resolve }));
      expect([target, failure.reason]).toEqual([target, 'private-address']);
      expect(server.requests).toHaveLength(1);
    }
  });

  it('is reached at its public addresses only, when its name has others as well', async () => {
    const server = await startRawServer((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
    const addresses = ['10.0.0.1', '127.0.0.1', '192.168.0.1'];
    const resolve = async () => addresses.map((address) => ({ address, family: 4 }));
    const url = `http://feeds.example:${server.port}/`;
    expect((await bodyOf(get(url, { allowPrivate: false, resolve }))).text).toBe('ok');
  });
});
