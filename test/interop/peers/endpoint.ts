import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const PORT_ATTEMPTS_MAX = 20;
let addressesGiven = 0;

/** All of 127.0.0.0/8 is loopback, but BIND listens only on addresses that an interface lists. */
const LISTENS_ON_LISTED_ADDRESSES = new Set(['named']);

/**
 * Where a program is to listen: an address that no other peer of this process has (for BIND:
 * 127.0.0.1), and a port that is free there on both UDP and TCP. An address of its own makes it all
 * but impossible that another process takes the port before the peer does.
 */
export async function endpointFor(program: string): Promise<Endpoint> {
  const address = LISTENS_ON_LISTED_ADDRESSES.has(program) ? '127.0.0.1' : ownAddress();
  for (let attempt = 0; attempt < PORT_ATTEMPTS_MAX; attempt++) {
    const port = await freePort(address);
    if (port !== null) return { address, port };
  }
  throw new Error(`no free port on ${address} in ${PORT_ATTEMPTS_MAX} attempts`);
}

/** The process id keeps test workers apart. */
export function ownAddress(): string {
  addressesGiven++;
  const host = 1 + (addressesGiven % 250);
  return `127.${64 + (process.pid & 63)}.${(process.pid >> 6) & 255}.${host}`;
}

async function freePort(address: string): Promise<number | null> {
  const tcp = createServer();
  const udp = createSocket('udp4');
  try {
    tcp.listen(0, address);
    await once(tcp, 'listening');
    const bound = tcp.address();
    if (bound === null || typeof bound === 'string') return null;
    udp.bind(bound.port, address);
    await once(udp, 'listening');
    return bound.port;
  } catch {
    return null;
  } finally {
    tcp.close();
    udp.close();
  }
}
