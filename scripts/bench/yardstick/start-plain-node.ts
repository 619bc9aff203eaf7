import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stopProcess } from '../processes.ts';
import type { Server } from '../server.ts';

/** Starts plain Node that sends queries back as answers. */
export function startEcho(zone: string): Promise<Server> {
  return asServer(fork(programOf('echo-process.ts')), zone);
}

/** Starts plain Node that pushes what is in a file, and looks like a server to the client. */
export function startPush(file: string, pieceOctets: number, zone: string): Promise<Server> {
  return asServer(fork(programOf('push-process.ts'), [file, String(pieceOctets)]), zone);
}

function programOf(file: string): string {
  return fileURLToPath(new URL(`./${file}`, import.meta.url));
}

/** The process tells its port when it listens. */
async function asServer(child: ChildProcess, zone: string): Promise<Server> {
  const [port] = (await once(child, 'message')) as [number];
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
