import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { clientOn, type TcpClient, type TcpTarget } from './tcp-client.ts';

/** A DNS client over TLS. */
export interface TlsClient extends TcpClient {
  readonly socket: TLSSocket;
  /** The connection below. */
  readonly raw: Socket;
  /** A session to come back with; resolves when the server has given one. */
  readonly session: Promise<Buffer>;
}

export interface TlsClientOptions
  extends Pick<
    ConnectionOptions,
    'ca' | 'cert' | 'key' | 'session' | 'ALPNProtocols' | 'minVersion' | 'maxVersion'
  > {
  readonly localAddress?: string;
  /** In place of the address that TLS is spoken on. */
  readonly address?: string;
  readonly port?: number;
  /** Goes before the handshake, in clear. */
  readonly preface?: Uint8Array;
}

/** Connects, and rejects when the handshake fails. The server is believed, whoever it is, without `ca`. */
export async function tlsClient(options: TlsClientOptions & TcpTarget): Promise<TlsClient> {
  const { address, port, localAddress, preface, ...tls } = options;
  const raw = connectTcp({
    host: address,
    port,
    allowHalfOpen: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  raw.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    raw.once('connect', resolve);
    raw.once('error', reject);
  });
  if (preface !== undefined) raw.write(preface);
  const socket = connect({
    socket: raw,
    ALPNProtocols: ['dot'],
    servername: 'localhost',
    rejectUnauthorized: tls.ca !== undefined,
    ...tls,
  });
  const session = new Promise<Buffer>((resolve) => socket.once('session', resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed during the handshake')));
  });
  return { ...clientOn(socket), socket, raw, session };
}
