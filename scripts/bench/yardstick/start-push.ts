import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { stopProcess } from '../processes.ts';
import type { Server } from '../server.ts';

/** Starts plain Node that pushes what is in a file, and looks like a server to the client. */
export async function startPush(file: string, pieceOctets: number, zone: string): Promise<Server> {
  const program = fileURLToPath(new URL('./push-process.ts', import.meta.url));
  const child = fork(program, [file, String(pieceOctets)]);
  const [{ port }] = (await once(child, 'message')) as [AddressInfo];
  return {
    name: 'plain Node',
    address: '127.0.0.1',
    port,
    zone,
    pid: child.pid ?? 0,
    startMs: 0,
    stop: () => stopProcess(child),
  };
}
