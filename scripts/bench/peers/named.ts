import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../../test/support/free-port.ts';
import type { Server } from '../server.ts';
import { PEER_KEY_TEXT, PEER_ZONE } from './peer-zone.ts';
import { startPeer } from './start-peer.ts';

const run = promisify(execFile);

/** BIND with the zone file `zone.db` of a folder, for each of the zones. */
export function startNamed(folder: string, zones?: readonly string[]): Promise<Server> {
  return start(folder, 'text', zones);
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

async function start(
  folder: string,
  format: 'text' | 'raw',
  zones: readonly string[] = [PEER_ZONE],
): Promise<Server> {
  const port = await freePort();
  // BIND lets zones that share a file be read only.
  const updates = zones.length === 1 ? 'allow-update { any; };' : '';
  const file = format === 'raw' ? 'zone.raw' : 'zone.db';
  const zoneText = (zone: string) => `
    zone "${zone}" { type primary; file "${file}"; masterfile-format ${format};
      ${updates} check-names ignore; ixfr-from-differences no; };`;
  const configuration = `
    key "${PEER_KEY_TEXT.name}" { algorithm hmac-sha256; secret "${PEER_KEY_TEXT.secret}"; };
    options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
      recursion no; pid-file none; allow-transfer { any; }; notify no; max-ixfr-ratio unlimited;
      transfers-out 100; minimal-responses yes; };
    controls { };
    ${zones.map(zoneText).join('\n')}`;
  writeFileSync(join(folder, 'named.conf'), configuration);
  return startPeer('BIND', port, folder, ['named', '-g', '-c', join(folder, 'named.conf')], zones);
}
