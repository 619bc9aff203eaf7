import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { freePort } from '../../../test/support/free-port.ts';
import type { Server } from '../server.ts';
import { PEER_KEY_TEXT, PEER_ZONE } from './peer-zone.ts';
import { startPeer } from './start-peer.ts';

const run = promisify(execFile);
const APEX = PEER_ZONE.slice(0, -1);

/** PowerDNS with the zone file `zone.db` in memory, for each of the zones; its caches are as they come. */
export async function startPowerDns(
  folder: string,
  zones: readonly string[] = [PEER_ZONE],
): Promise<Server> {
  const list = join(folder, 'zones.conf');
  const file = join(folder, 'zone.db');
  const zoneText = (zone: string) =>
    `zone "${zone.slice(0, -1)}" { type master; file "${file}"; };\n`;
  writeFileSync(list, zones.map(zoneText).join(''));
  const keys = join(folder, 'keys.sqlite3');
  if (!existsSync(keys)) await makeKeys(folder, keys, zones);
  const backend = ['launch=bind', `bind-config=${list}`, `bind-dnssec-db=${keys}`];
  return start(folder, backend, zones);
}

/** Has PowerDNS read the zone file again. */
export async function reloadPowerDns(_: Server, folder: string): Promise<void> {
  const command = [`--config-dir=${folder}`, 'bind-reload-now', APEX];
  // It waits for five seconds at most, and complains after them; the reading goes on.
  await run('pdns_control', command).catch(() => undefined);
}

/** Loads `zone.db` into LMDB, for `startPowerDnsLmdb`. */
export async function loadPowerDnsLmdb(folder: string): Promise<void> {
  writeSettings(folder, lmdbSettings(folder));
  const zone = ['load-zone', APEX, join(folder, 'zone.db')];
  await run('pdnsutil', [`--config-dir=${folder}`, ...zone]);
}

/** PowerDNS with the zone in LMDB, which it reads page by page when it is asked. */
export function startPowerDnsLmdb(folder: string): Promise<Server> {
  return start(folder, lmdbSettings(folder));
}

function lmdbSettings(folder: string): readonly string[] {
  return ['launch=lmdb', `lmdb-filename=${join(folder, 'pdns.lmdb')}`, 'lmdb-shards=1'];
}

/** So that transfers may be signed; unsigned ones are let through by their address. */
async function makeKeys(folder: string, path: string, zones: readonly string[]): Promise<void> {
  // With no zones in its configuration: pdnsutil reads all of them whatever it is asked for.
  const none = join(folder, 'no-zones.conf');
  writeFileSync(none, '');
  writeSettings(folder, ['launch=bind', `bind-config=${none}`, `bind-dnssec-db=${path}`]);
  const { name, secret } = PEER_KEY_TEXT;
  for (const command of [
    ['create-bind-db', path],
    ['import-tsig-key', name, 'hmac-sha256', secret],
  ]) {
    await run('pdnsutil', [`--config-dir=${folder}`, ...command]);
  }
  const database = new Database(path);
  const allow = database.prepare(
    "INSERT INTO domainmetadata (domain, kind, content) VALUES (?, 'TSIG-ALLOW-AXFR', ?)",
  );
  for (const zone of zones) allow.run(zone.slice(0, -1), name);
  database.close();
}

async function start(
  folder: string,
  backend: readonly string[],
  zones?: readonly string[],
): Promise<Server> {
  const port = await freePort();
  writeSettings(folder, [
    ...backend,
    'local-address=127.0.0.1',
    `local-port=${port}`,
    'allow-axfr-ips=127.0.0.0/8',
    'daemon=no',
    'guardian=no',
    `socket-dir=${folder}`,
    'setuid=',
    'setgid=',
    'security-poll-suffix=',
    'disable-syslog=yes',
    'loglevel=3',
    'max-tcp-connections=1000',
  ]);
  return startPeer('PowerDNS', port, folder, ['pdns_server', `--config-dir=${folder}`], zones);
}

function writeSettings(folder: string, settings: readonly string[]): void {
  writeFileSync(join(folder, 'pdns.conf'), `${settings.join('\n')}\n`);
}
