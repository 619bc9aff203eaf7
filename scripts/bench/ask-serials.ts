import { createSocket } from 'node:dgram';
import { parseName } from '../../src/dns/index.ts';
import { type Endpoint, serialIn, soaQuery } from './client.ts';

/** So many questions wait for their answers at once: more would not fit into the buffer of a socket. */
const WINDOW = 100;
const TIMEOUT_MS = 10_000;

/** The serials of many zones, over UDP, as soon as they can be had. */
export function askSerials(server: Endpoint, zones: readonly string[]): Promise<(number | null)[]> {
  const socket = createSocket('udp4');
  const serials: (number | null)[] = new Array(zones.length);
  let asked = 0;
  let answered = 0;
  return new Promise<(number | null)[]>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${answered} of ${zones.length} zones answer`)),
      TIMEOUT_MS,
    );
    const ask = () => {
      for (; asked < zones.length && asked - answered < WINDOW; asked++)
        socket.send(soaQuery(parseName(zones[asked]), asked), server.port, server.address);
    };
    socket.on('message', (answer) => {
      serials[answer.readUInt16BE(0)] = serialIn(answer);
      answered++;
      if (answered < zones.length) return ask();
      clearTimeout(timer);
      resolve(serials);
    });
    ask();
  }).finally(() => socket.close());
}
