import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../test/support/free-port.ts';
import type { Server } from '../server.ts';
import { PEER_KEY_TEXT, PEER_ZONE } from './peer-zone.ts';
import { startPeer } from './start-peer.ts';

/**
 * NSD with the zone file `zone.db` of a folder, for each of the zones: one serving process, as the others have one, and no
 * limit on answers, which Debian's has built in.
 */
export async function startNsd(
  folder: string,
  zones: readonly string[] = [PEER_ZONE],
): Promise<Server> {
  const port = await freePort();
  const zoneText = (zone: string) => `zone:
  name: ${zone}
  zonefile: zone.db
  provide-xfr: 127.0.0.0/8 NOKEY
  provide-xfr: 127.0.0.0/8 ${PEER_KEY_TEXT.name}
`;
  const configuration = `
server:
  ip-address: 127.0.0.1@${port}
  do-ip6: no
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  xfrdfile: "${folder}/xfrd.state"
  zonelistfile: "${folder}/zone.list"
  xfrdir: "${folder}"
  server-count: 1
  tcp-count: 1000
  minimal-responses: yes
  rrl-ratelimit: 0
remote-control:
  control-enable: no
key:
  name: ${PEER_KEY_TEXT.name}
  algorithm: hmac-sha256
  secret: "${PEER_KEY_TEXT.secret}"
${zones.map(zoneText).join('')}`;
  writeFileSync(join(folder, 'nsd.conf'), configuration);
  return startPeer('NSD', port, folder, ['nsd', '-d', '-c', join(folder, 'nsd.conf')], zones);
}

/** Has NSD read the zone file again; returns at once. */
export async function reloadNsd({ pid }: Server): Promise<void> {
  process.kill(pid, 'SIGHUP');
}
