import type { Socket } from 'node:net';
import type { Config } from './config/index.ts';
import { type ApiOptions, buildApi, DEFAULT_API_LIMITS } from './http/index.ts';

/** The admin API on its socket. */
export interface RunningApi {
  address(): { readonly address: string; readonly port: number };
  /** Takes no more requests, and gives those that run a moment. */
  stop(): Promise<void>;
}

/**
 * Then they are cut: a client that leaves its request or its handshake unfinished, as anyone can who
 * gets to the port, would keep the server from stopping for minutes.
 */
const STOP_MS_MAX = 1_000;

/** Rejects with the system's error when the address cannot be had. */
export async function startApi(
  { http }: Config,
  options: Omit<ApiOptions, 'limits' | 'monotonicMs'>,
): Promise<RunningApi> {
  const api = buildApi({
    ...options,
    limits: { ...DEFAULT_API_LIMITS, textBodyMax: http.bodyMaxOctets },
    monotonicMs: () => performance.now(),
  });
  const { address, port } = http.listen;
  const sockets = new Set<Socket>();
  api.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  try {
    await api.listen({ host: address, port });
  } catch (error) {
    await api.close();
    throw error;
  }
  return {
    address() {
      const bound = api.server.address();
      const isBound = typeof bound === 'object' && bound !== null;
      return { address, port: isBound ? bound.port : port };
    },
    async stop() {
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, STOP_MS_MAX);
      await api.close();
      clearTimeout(cut);
    },
  };
}
