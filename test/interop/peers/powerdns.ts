import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { endpointFor } from './endpoint.ts';
import { type SecondaryOptions, sourceValues } from './feed.ts';
import { makePeerFolder, type Peer, startProgram } from './program.ts';
import { fillSample } from './sample.ts';

/** Where Debian's package pdns-backend-sqlite3 puts the tables' definition. */
const SCHEMA = '/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql';

/** PowerDNS as the secondary of a zone or of a catalog's members, on SQLite, with config/powerdns. */
export async function startPowerDns(options: SecondaryOptions): Promise<Peer> {
  const folder = await makePeerFolder('pdns_server');
  const listen = options.listen ?? (await endpointFor('pdns_server'));
  const values = sourceValues(options.secondary, listen, folder);
  const database = new Database(join(folder, 'pdns.sqlite3'));
  database.exec(await readFile(SCHEMA, 'utf8'));
  const sample = options.isCatalog ? 'sluice-catalog.sql' : 'sluice-secondary.sql';
  database.exec(await fillSample(`powerdns/${sample}`, values));
  database.close();
  const settings = [
    `launch=gsqlite3`,
    `gsqlite3-database=${join(folder, 'pdns.sqlite3')}`,
    `gsqlite3-dnssec=yes`,
    // So that those who read and those who write do not lock one another out.
    `gsqlite3-pragma-journal-mode=wal`,
    `secondary=yes`,
    `local-address=${listen.address}`,
    `local-port=${listen.port}`,
    `query-local-address=${listen.address}`,
    `daemon=no`,
    `guardian=no`,
    `socket-dir=${folder}`,
    `setuid=`,
    `setgid=`,
    `xfr-cycle-interval=1`,
    `cache-ttl=0`,
    `query-cache-ttl=0`,
    `negquery-cache-ttl=0`,
    `zone-cache-refresh-interval=0`,
    `security-poll-suffix=`,
    `disable-syslog=yes`,
    `loglevel=6`,
  ];
  await writeFile(join(folder, 'pdns.conf'), settings.join('\n'));
  return startProgram({
    program: 'pdns_server',
    args: [`--config-dir=${folder}`],
    folder,
    listen,
  });
}
