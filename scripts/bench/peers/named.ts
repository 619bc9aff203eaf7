import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../processes.ts';
import type { Server } from '../server.ts';
import { PEER_KEY_TEXT, PEER_ZONE } from './peer-zone.ts';
import { startPeer } from './start-peer.ts';

const run = promisify(execFile);

/** BIND with the zone file `zone.db` of a folder. */
export function startNamed(folder: string): Promise<Server> {
  return start(folder, 'text');
}

/** The same from `zone.raw`, which `compileNamedZone` makes. */
export function startNamedRaw(folder: string): Promise<Server> {
  return start(folder, 'raw');
}

/** Makes `zone.raw` of `zone.db`. */
export async function compileNamedZone(folder: string): Promise<void> {
  const options = ['-q', '-k', 'ignore', '-F', 'raw', '-o', 'zone.raw', PEER_ZONE, 'zone.db'];
  await run('named-compilezone', options, { cwd: folder });
}

async function start(folder: string, format: 'text' | 'raw'): Promise<Server> {
  const port = await freePort();
  const file = format === 'raw' ? 'zone.raw' : 'zone.db';
  const configuration = `
    key "${PEER_KEY_TEXT.name}" { algorithm hmac-sha256; secret "${PEER_KEY_TEXT.secret}"; };
    options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
      recursion no; pid-file none; allow-transfer { any; }; notify no; max-ixfr-ratio unlimited;
      transfers-out 100; minimal-responses yes; };
    controls { };
    zone "${PEER_ZONE}" { type primary; file "${file}"; masterfile-format ${format};
      allow-update { any; }; check-names ignore; ixfr-from-differences no; };`;
  writeFileSync(join(folder, 'named.conf'), configuration);
  return startPeer('BIND', port, folder, ['named', '-g', '-c', join(folder, 'named.conf')]);
}
