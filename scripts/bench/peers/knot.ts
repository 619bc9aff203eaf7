import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../test/support/free-port.ts';
import type { Endpoint } from '../client.ts';
import type { Server } from '../server.ts';
import { PEER_KEY_TEXT, PEER_ZONE } from './peer-zone.ts';
import { startPeer } from './start-peer.ts';

/**
 * Knot with the zone file `zone.db` of a folder, for each of the zones; changes go to its journal, not
 * to the file, and it tells them to those in `notified`.
 */
export async function startKnot(
  folder: string,
  zones: readonly string[] = [PEER_ZONE],
  notified: readonly Endpoint[] = [],
): Promise<Server> {
  const port = await freePort();
  const zoneText = (zone: string) => `  - domain: ${zone}
    file: zone.db
    acl: [any, signed]
${notifyText(notified)}    zonefile-sync: -1
    journal-content: changes
`;
  const configuration = `
server:
  rundir: "${folder}"
  listen: 127.0.0.1@${port}
database:
  storage: "${folder}"
  journal-db-max-size: 8G
key:
  - id: ${PEER_KEY_TEXT.name}
    algorithm: hmac-sha256
    secret: ${PEER_KEY_TEXT.secret}
${remotesText(notified)}
acl:
  - id: any
    address: 127.0.0.0/8
    action: [transfer, update]
  - id: signed
    address: 127.0.0.0/8
    key: ${PEER_KEY_TEXT.name}
    action: [transfer, update]
template:
  - id: default
    storage: "${folder}"
    semantic-checks: off
zone:
${zones.map(zoneText).join('')}`;
  writeFileSync(join(folder, 'knot.conf'), configuration);
  return startPeer('Knot', port, folder, ['knotd', '-c', join(folder, 'knot.conf')], zones);
}

/** Knot takes no empty list, and no section without anything in it. */
function remotesText(notified: readonly Endpoint[]): string {
  if (notified.length === 0) return '';
  const remotes = notified.map(
    ({ address, port }, index) => `  - id: receiver${index}\n    address: ${address}@${port}\n`,
  );
  return `remote:\n${remotes.join('')}`;
}

function notifyText(notified: readonly Endpoint[]): string {
  if (notified.length === 0) return '';
  return `    notify: [${notified.map((_, index) => `receiver${index}`).join(', ')}]\n`;
}
