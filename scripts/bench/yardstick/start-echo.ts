import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stopProcess } from '../processes.ts';
import type { Server } from '../server.ts';

/** Starts plain Node that sends queries back as answers. */
export async function startEcho(zone: string): Promise<Server> {
  const child = fork(fileURLToPath(new URL('./echo-process.ts', import.meta.url)));
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
