import { connect, type Socket } from 'node:net';

/** A DNS client that does what it is told, the wrong things too. */
export interface TcpClient {
  readonly socket: Socket;
  send(octets: Uint8Array): void;
  /** The next whole message; rejects when the connection closes first. */
  message(): Promise<Buffer>;
  messages(count: number): Promise<Buffer[]>;
  /** Resolves when the connection is closed, with the messages that were not asked for yet. */
  closed(): Promise<Buffer[]>;
  /** Sizes of the chunks that arrived. */
  readonly chunks: number[];
  destroy(): void;
}

export interface TcpTarget {
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string;
}

export async function tcpClient(target: TcpTarget): Promise<TcpClient> {
  const socket = connect({
    host: target.address,
    port: target.port,
    allowHalfOpen: true,
    ...(target.localAddress === undefined ? {} : { localAddress: target.localAddress }),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return clientOn(socket);
}

/** Speaks DNS on a socket that is connected. */
export function clientOn(socket: Socket): TcpClient {
  const arrived: Buffer[] = [];
  const waiting: { resolve(message: Buffer): void; reject(error: Error): void }[] = [];
  const chunks: number[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let isClosed = false;
  const whenClosed = new Promise<void>((resolve) => {
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      isClosed = true;
      for (const { reject } of waiting.splice(0)) reject(new Error('connection closed'));
      resolve();
    });
  });
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk.length);
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 2 && rest.length - at >= 2 + rest.readUInt16BE(at)) {
      const end = at + 2 + rest.readUInt16BE(at);
      const message = rest.subarray(at + 2, end);
      at = end;
      const waiter = waiting.shift();
      if (waiter === undefined) arrived.push(message);
      else waiter.resolve(message);
    }
    rest = rest.subarray(at);
  });
  const message = (): Promise<Buffer> => {
    const first = arrived.shift();
    if (first !== undefined) return Promise.resolve(first);
    if (isClosed) return Promise.reject(new Error('connection closed'));
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  return {
    socket,
    chunks,
    send: (octets) => socket.write(octets),
    message,
    messages: (count) => Promise.all(Array.from({ length: count }, message)),
    async closed() {
      await whenClosed;
      return arrived.splice(0);
    },
    destroy: () => socket.destroy(),
  };
}
