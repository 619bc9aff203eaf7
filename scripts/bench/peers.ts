import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { type Rules, zoneFile } from './generate.ts';
import { freePort, startProcess, stopProcess } from './processes.ts';
import { type Server, untilServed } from './servers.ts';

export const PEER_ZONE = 'rpz.bench.example.';

/** Writes the rules as a zone file into each folder. */
export async function writeZones(folders: readonly string[], rules: Rules): Promise<void> {
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    const file = createWriteStream(join(folder, 'zone.db'));
    let text = '';
    for (const line of zoneFile(rules, PEER_ZONE, 1)) {
      text += line;
      if (text.length < 1 << 20) continue;
      if (!file.write(text))
        await new Promise<void>((resolve) => file.once('drain', () => resolve()));
      text = '';
    }
    file.end(text);
    await finished(file);
  }
}

export async function startNamed(folder: string): Promise<Server> {
  const port = await freePort();
  const configuration = `
    options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
      recursion no; pid-file none; allow-transfer { any; }; notify no; max-ixfr-ratio unlimited;
      transfers-out 100; minimal-responses yes; };
    controls { };
    zone "${PEER_ZONE}" { type primary; file "zone.db"; allow-update { any; }; check-names ignore; ixfr-from-differences no; };`;
  writeFileSync(join(folder, 'named.conf'), configuration);
  return startPeer('BIND', port, folder, ['named', '-g', '-c', join(folder, 'named.conf')]);
}

export async function startKnot(folder: string): Promise<Server> {
  const port = await freePort();
  const configuration = `
server:
  rundir: "${folder}"
  listen: 127.0.0.1@${port}
database:
  storage: "${folder}"
acl:
  - id: any
    address: 127.0.0.0/8
    action: [transfer, update]
template:
  - id: default
    storage: "${folder}"
    semantic-checks: off
zone:
  - domain: ${PEER_ZONE}
    file: zone.db
    acl: any
    zonefile-sync: -1
    journal-content: changes
`;
  writeFileSync(join(folder, 'knot.conf'), configuration);
  return startPeer('Knot', port, folder, ['knotd', '-c', join(folder, 'knot.conf')]);
}

/** One serving process, as the others have one, and no limit on answers, which Debian's NSD has built in. */
export async function startNsd(folder: string): Promise<Server> {
  const port = await freePort();
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
zone:
  name: ${PEER_ZONE}
  zonefile: zone.db
  provide-xfr: 127.0.0.0/8 NOKEY
`;
  writeFileSync(join(folder, 'nsd.conf'), configuration);
  return startPeer('NSD', port, folder, ['nsd', '-d', '-c', join(folder, 'nsd.conf')]);
}

/** PowerDNS with the zone file in memory, and its caches as they are when nothing is said of them. */
export async function startPowerDns(folder: string): Promise<Server> {
  const port = await freePort();
  const zones = join(folder, 'zones.conf');
  writeFileSync(
    zones,
    `zone "${PEER_ZONE.slice(0, -1)}" { type master; file "${join(folder, 'zone.db')}"; };\n`,
  );
  const settings = [
    'launch=bind',
    `bind-config=${zones}`,
    'local-address=127.0.0.1',
    `local-port=${port}`,
    'daemon=no',
    'guardian=no',
    `socket-dir=${folder}`,
    'setuid=',
    'setgid=',
    'security-poll-suffix=',
    'disable-syslog=yes',
    'loglevel=3',
    'max-tcp-connections=1000',
  ];
  writeFileSync(join(folder, 'pdns.conf'), settings.join('\n'));
  return startPeer('PowerDNS', port, folder, ['pdns_server', `--config-dir=${folder}`]);
}

async function startPeer(
  name: string,
  port: number,
  folder: string,
  [program, ...options]: readonly string[],
): Promise<Server> {
  const startedAt = performance.now();
  const child = startProcess(program, options, { stdio: 'ignore', cwd: folder });
  const server = {
    name,
    address: '127.0.0.1',
    port,
    zone: PEER_ZONE,
    pid: child.pid ?? 0,
    startMs: 0,
    stop: () => stopProcess(child),
  };
  return { ...server, startMs: await untilServed(server, startedAt) };
}
