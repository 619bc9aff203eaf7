import { createServer, type Socket } from 'node:net';
import type { ListenAddress } from './options.ts';

/** Where to take a socket from: an address to bind, or one that was bound already. */
export type BoundOrAddress = ListenAddress | { readonly fd: number };

export interface Listener extends ListenAddress {
  /** Takes no more; what was taken stays. */
  close(): void;
}

/**
 * libuv takes one connection from each listening socket in a turn of the event loop (libuv pull request
 * 3696), and with transfers running a turn lasts milliseconds: short ones would wait to be accepted. So an
 * address has several listening sockets, among which the system shares the connections out. Measured with
 * 500 devices beside 50 AXFRs: the median IXFR 170 ms instead of 650.
 */
const LISTENING_SOCKETS = 8;

/** Accepts connections of TCP, those for TLS too. Rejects with the system's error when the address cannot be had. */
export async function listenStream(
  where: BoundOrAddress,
  accept: (socket: Socket) => void,
  onError: (error: Error) => void,
): Promise<Listener> {
  const first = await listenOnce(where, accept, onError);
  const listeners = [first];
  const close = (): void => {
    for (const listener of listeners) listener.close();
  };
  // A socket that was bound by somebody else is the only one there is.
  if ('fd' in where) return first;
  try {
    while (listeners.length < LISTENING_SOCKETS) {
      listeners.push(await listenOnce({ ...where, port: first.port }, accept, onError));
    }
  } catch (error) {
    close();
    throw error;
  }
  return { ...first, close };
}

async function listenOnce(
  where: BoundOrAddress,
  accept: (socket: Socket) => void,
  onError: (error: Error) => void,
): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const options =
      'fd' in where
        ? where
        : { host: where.address, port: where.port, ipv6Only: true, reusePort: true };
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // An accept that fails, for want of file descriptors say, is not the end of the listener.
  server.on('error', onError);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') {
    server.close();
    throw new Error('a listening socket for DNS that is none of TCP');
  }
  return { address: bound.address, port: bound.port, close: () => server.close() };
}
