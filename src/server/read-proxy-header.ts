import type { Socket } from 'node:net';
import { type ProxyHeader, parseProxyHeader } from './proxy-header.ts';

/** The client that a proxy tells; null when it speaks for itself. */
export type ProxiedClient = Extract<ProxyHeader, { kind: 'header' }>['source'];

/**
 * Reads the PROXY header that a connection begins with, however it is cut into segments; what
 * follows it stays to be read. `refused` is called when there is no header that we understand. The
 * caller ends connections on which neither happens.
 */
export function readProxyHeader(
  socket: Socket,
  found: (client: ProxiedClient) => void,
  refused: () => void,
): void {
  let held: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    socket.off('readable', read);
    socket.off('end', end);
  };
  const end = (): void => {
    stop();
    refused();
  };
  const read = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    // What is longer than a header may be is no beginning of one, so no more than that is ever held.
    const header = parseProxyHeader(held);
    if (header.kind === 'partial') return;
    stop();
    if (header.kind === 'malformed') {
      refused();
      return;
    }
    if (held.length > header.octets) socket.unshift(held.subarray(header.octets));
    found(header.source);
  };
  socket.on('readable', read);
  socket.on('end', end);
}
