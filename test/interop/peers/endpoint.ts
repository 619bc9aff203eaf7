import { freePort } from '../../support/free-port.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

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
  return { address, port: await freePort(address) };
}

/** The process id keeps test workers apart. */
export function ownAddress(): string {
  addressesGiven++;
  const host = 1 + (addressesGiven % 250);
  return `127.${64 + (process.pid & 63)}.${(process.pid >> 6) & 255}.${host}`;
}
