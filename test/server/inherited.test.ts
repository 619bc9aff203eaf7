import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { familyOfUdpSocket } from '../../src/server/udp-socket-family.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { makeAuthority } from '../support/certificate.ts';
import { freePort } from '../support/free-port.ts';
import { afterwards, framed, idOf, query, udpExchange } from './scene.ts';
import { tcpClient } from './tcp-client.ts';
import { tlsClient } from './tls-client.ts';

const CHILD = fileURLToPath(new URL('children/inherited.ts', import.meta.url));

/**
 * As a service manager does: binds, leaves the sockets at the descriptors from 3 on, and becomes the
 * server. They are blocking, as sockets are unless somebody changes it.
 */
const PARENT = `
import os, socket, sys
sockets = []
for family, address, port in ((socket.AF_INET, '127.0.0.1', sys.argv[1]), (socket.AF_INET6, '::1', sys.argv[2])):
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.bind((address, int(port)))
    tcp = socket.socket(family, socket.SOCK_STREAM)
    # As systemd does: connections of whoever had the port before may still be closing.
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, int(port)))
    tls = socket.socket(family, socket.SOCK_STREAM)
    tls.bind((address, 0))
    tcp.listen()
    sockets += [udp, tcp, tls]
# Out of the way of the descriptors that they go to.
kept = [os.dup2(s.fileno(), 50 + i) for i, s in enumerate(sockets)]
for i, fd in enumerate(kept):
    os.dup2(fd, 3 + i, inheritable=True)
os.execv(sys.argv[3], sys.argv[3:])
`;

interface Bound {
  readonly addresses: readonly { address: string; port: number }[];
  readonly tls: readonly { address: string; port: number }[];
}

describe.skipIf(!requirePeer('python3', 'openssl'))(
  'sockets that another process has bound',
  () => {
    it('are used in place of binding, UDP and TCP and TLS, IPv4 and IPv6', async () => {
      const { certificateFile, keyFile } = makeAuthority().issue({ for: 'server' });
      const descriptors = JSON.stringify({ udp: [3, 6], tcp: [4, 7], tls: [5, 8] });
      const node = [process.execPath, CHILD, descriptors, certificateFile, keyFile];
      const ports = [await freePort('127.0.0.1'), await freePort('::1')].map(String);
      const child = spawn('python3', ['-c', PARENT, ...ports, ...node], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      afterwards(() => child.kill('SIGKILL'));
      const [line] = await once(createInterface(child.stdout), 'line');
      const bound = JSON.parse(line) as Bound;
      expect(bound.addresses.map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
      expect(bound.tls.map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
      for (const [at, target] of bound.addresses.entries()) {
        expect(idOf(await udpExchange(target, query(1)))).toBe(1);
        for (const client of [await tcpClient(target), await tlsClient(bound.tls[at]!)]) {
          client.send(framed(query(2)));
          expect(idOf(await client.message())).toBe(2);
          client.destroy();
        }
      }
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    });

    it('must be sockets', () => {
      const file = openSync(CHILD, 'r');
      afterwards(() => closeSync(file));
      expect(() => familyOfUdpSocket(file)).toThrow(`file descriptor ${file} is no socket`);
      expect(() => familyOfUdpSocket(9_999)).toThrow('ENOENT');
    });
  },
);
