import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import {
  createResponseSigner,
  isMalformed,
  type Message,
  namesEqual,
  RCODE,
  readMessage,
  type TsigKey,
  verifyRequest,
} from '../../src/dns/index.ts';

export interface Received {
  readonly bytes: Buffer;
  readonly message: Message;
  readonly from: RemoteInfo;
  /** performance.now() */
  readonly at: number;
}

/** What a peer does with a NOTIFY: octets to send back, at once or later, or nothing. */
export type Script = (received: Received, number: number) => Uint8Array | null | undefined;

export interface Peer {
  readonly address: string;
  readonly port: number;
  readonly received: Received[];
  script: Script;
  /** Sends something from the peer's own port. */
  send(bytes: Uint8Array, to: RemoteInfo): void;
  close(): void;
}

/** A secondary that does as it is told; without a script it answers as RFC 1996 section 4.7 says. */
export async function startPeer(
  address = '127.0.0.1',
  script: Script = agree,
  port = 0,
): Promise<Peer> {
  const socket: Socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  await new Promise<void>((resolve) => socket.bind(port, address, resolve));
  const received: Received[] = [];
  let closed = false;
  const peer: Peer = {
    address,
    port: socket.address().port,
    received,
    script,
    send(bytes, to) {
      if (!closed) socket.send(bytes, to.port, to.address);
    },
    close() {
      closed = true;
      socket.close();
    },
  };
  socket.on('message', (bytes, from) => {
    const message = readMessage(bytes);
    if (isMalformed(message)) throw new Error(message.reason);
    const one = { bytes, message, from, at: performance.now() };
    received.push(one);
    const answer = peer.script(one, received.length);
    if (answer) peer.send(answer, from);
  });
  return peer;
}

/** The request with QR set: identical to it but for that. */
export const agree: Script = ({ bytes }) => withRcode(bytes, 0);

/** The request as a response with this RCODE. */
export function withRcode(bytes: Uint8Array, rcode: number): Buffer {
  const response = Buffer.from(bytes);
  response[2] |= 0x80;
  response[3] = (response[3] & 0xf0) | rcode;
  return response;
}

export const silence: Script = () => null;

/** A secondary that insists on `known` and signs its answers with it. */
export function signing(known: TsigKey, nowSeconds = () => Math.floor(Date.now() / 1000)): Script {
  return ({ bytes, message }) => {
    const verdict = verifyRequest({
      bytes,
      message,
      findKey: (name) => (namesEqual(name, known.name) ? known : undefined),
      nowSeconds: nowSeconds(),
      allowedAlgorithms: [known.algorithm],
    });
    const rcode = verdict.kind === 'valid' ? RCODE.NOERROR : RCODE.NOTAUTH;
    const unsigned = withRcode(bytes.subarray(0, message.tsig?.offset), rcode);
    unsigned.writeUInt16BE(0, 10);
    const signer = createResponseSigner(verdict, nowSeconds);
    if (signer === null) return withRcode(unsigned, RCODE.REFUSED);
    const buffer = Buffer.concat([unsigned, Buffer.alloc(signer.octets)]);
    return buffer.subarray(0, signer.sign(buffer, 0, unsigned.length));
  };
}
