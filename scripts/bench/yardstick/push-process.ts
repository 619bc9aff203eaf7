import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/**
 * What plain Node can do: writes prepared octets, in pieces, to whoever asks anything, one piece when
 * the one before it is gone. There is no server behind it.
 */
const [file, pieceOctets] = [process.argv[2], Number(process.argv[3])];
const octets = readFileSync(file);
const pieces = Array.from({ length: Math.ceil(octets.length / pieceOctets) }, (_, index) =>
  octets.subarray(index * pieceOctets, (index + 1) * pieceOctets),
);

const server = createServer({ noDelay: true }, (socket) => {
  socket.once('data', () => push(socket, 0));
  // The client leaves when it has all.
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.once('disconnect', () => process.exit());

function push(socket: Socket, index: number): void {
  if (index === pieces.length || socket.destroyed) return;
  socket.write(pieces[index], () => push(socket, index + 1));
}
