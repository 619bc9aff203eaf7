import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/**
 * What plain Node can do with queries: sends each back as it came, with the bit set that makes it an
 * answer. Over TCP all that one read brings goes back in one write.
 */
const QR_OCTET = 2;
const QR = 0x80;
const LENGTH_OCTETS = 2;

const udp = createSocket('udp4');
udp.on('message', (query, { port, address }) => {
  query[QR_OCTET] |= QR;
  udp.send(query, port, address);
});
udp.bind(0, '127.0.0.1', () => {
  const { port } = udp.address();
  tcp.listen(port, '127.0.0.1', () => process.send?.(port));
});

const tcp = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    const octets = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (at + LENGTH_OCTETS <= octets.length) {
      const end = at + LENGTH_OCTETS + octets.readUInt16BE(at);
      if (end > octets.length) break;
      octets[at + LENGTH_OCTETS + QR_OCTET] |= QR;
      at = end;
    }
    rest = octets.subarray(at);
    if (at > 0) socket.write(octets.subarray(0, at));
  });
  socket.on('error', () => socket.destroy());
});

process.once('disconnect', () => process.exit());
