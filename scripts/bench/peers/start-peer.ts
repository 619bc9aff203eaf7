import { openSync } from 'node:fs';
import { join } from 'node:path';
import { untilServed } from '../client.ts';
import { startProcess, stopProcess } from '../processes.ts';
import type { Server } from '../server.ts';
import { PEER_KEY, PEER_ZONE } from './peer-zone.ts';

/** Starts the program of a peer, and waits until it answers for its zones. */
export async function startPeer(
  name: string,
  port: number,
  folder: string,
  [program, ...options]: readonly string[],
  zones: readonly string[] = [PEER_ZONE],
): Promise<Server> {
  const log = openSync(join(folder, 'log'), 'a');
  const startedAt = performance.now();
  const child = startProcess(program, options, { stdio: ['ignore', log, log], cwd: folder });
  const server = {
    name,
    address: '127.0.0.1',
    port,
    zone: zones[0],
    pid: child.pid ?? 0,
    startMs: 0,
    tsigKey: PEER_KEY,
    stop: () => stopProcess(child),
  };
  const died = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} ended with code ${code}: see its log`)));
  });
  died.catch(() => undefined);
  let startMs = 0;
  for (const zone of zones) {
    startMs = await Promise.race([untilServed({ ...server, zone }, startedAt), died]);
  }
  return { ...server, startMs };
}
