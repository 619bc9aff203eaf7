/**
 * Runs inside a network namespace: listens on 127.0.0.1, connects from each address given as an
 * argument, and prints whether that worked, as JSON in the same order.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const CONNECT_MS_MAX = 700;

const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
await once(server, 'listening');
const bound = server.address();
if (bound === null || typeof bound === 'string') throw new Error('no port');

const results: boolean[] = [];
for (const localAddress of process.argv.slice(2)) {
  results.push(await connectsFrom(localAddress, bound.port));
}
console.log(JSON.stringify(results));
server.close();

function connectsFrom(localAddress: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    const finish = (connected: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(connected);
    };
    const timer = setTimeout(() => finish(false), CONNECT_MS_MAX);
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
