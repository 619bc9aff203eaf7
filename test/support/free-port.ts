import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that the system gives to clients (RFC 6056 section 3.2; Linux begins at 32,768), so
 * that no connection takes one between the look and the use.
 */
const FIRST = 10_000;
const PER_PROCESS = 350;
/** Test workers have process ids that follow one another, so those of one time have ports of their own. */
const PROCESSES = 64;

const first = FIRST + (process.pid % PROCESSES) * PER_PROCESS;
/** Anywhere to begin with: another process may have the same share. */
let given = randomInt(PER_PROCESS);

/**
 * A port that is free on UDP and TCP. No port is given twice until all of this process were, because
 * servers that share ports (SO_REUSEPORT) would not notice that another has theirs.
 */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < PER_PROCESS; attempt++) {
    const port = first + (given++ % PER_PROCESS);
    if (await isFree(port, address)) return port;
  }
  throw new Error(`no free port on ${address} from ${first} to ${first + PER_PROCESS - 1}`);
}

async function isFree(port: number, address: string): Promise<boolean> {
  const tcp = createServer();
  const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    tcp.listen(port, address);
    await once(tcp, 'listening');
    udp.bind(port, address);
    await once(udp, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    tcp.close();
    udp.close();
  }
}
