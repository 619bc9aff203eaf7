import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Endpoint, endpointFor, ownAddress } from './endpoint.ts';
import { eventually } from './eventually.ts';
import type { FakeInternet } from './fake-internet.ts';
import { type PrimaryZone, sourceValues, type ZoneSource } from './feed.ts';
import { makePeerFolder, type Peer, startProgram } from './program.ts';
import { fillSample } from './sample.ts';
import { keyValues, type TsigKey } from './tsig-key.ts';

export interface Named extends Peer {
  /**
   * Writes a zone that it is the primary of anew, and returns when it is loaded. The difference
   * goes out as IXFR.
   */
  replaceZone(zone: string, text: string): Promise<void>;
}

export interface NamedOptions {
  readonly listen?: Endpoint;
  /** A policy to enforce, with config/bind/sluice-policy*.conf. Needs `internet`. */
  readonly rpz?: ZoneSource;
  readonly internet?: FakeInternet;
  /** `iterate` from the fake root, for triggers on name servers; default `forward`. */
  readonly upstream?: 'forward' | 'iterate';
  /** Zones to take from a primary and serve, with config/bind/sluice-ip-zone.conf. */
  readonly secondaries?: readonly ZoneSource[];
  /** Catalog zones to follow, with config/bind/sluice-catalog*.conf. */
  readonly catalogs?: readonly ZoneSource[];
  /** Zones to be the primary of. */
  readonly primaries?: readonly PrimaryZone[];
  /** More lines for `options { … }`. */
  readonly extraOptions?: string;
}

export async function startNamed(options: NamedOptions): Promise<Named> {
  const folder = await makePeerFolder('named');
  const listen = options.listen ?? (await endpointFor('named'));
  const source = ownAddress();
  for (const zone of options.primaries ?? []) {
    await writeFile(join(folder, `${zone.zone}.primary`), zone.text);
  }
  if (options.internet?.root) {
    const hints = `. 60 NS root-server.invalid.\nroot-server.invalid. 60 A ${options.internet.root}\n`;
    await writeFile(join(folder, 'root.hints'), hints);
  }
  const policy = await policyParts(options.rpz, listen, folder);
  const catalogs = await catalogParts(options.catalogs ?? [], listen, folder);
  const configuration = [
    ...(await keyStatements(options)),
    `options {`,
    ...ownOptions(listen, source, folder),
    ...upstreamOptions(options),
    policy.options,
    ...catalogs.options,
    options.extraOptions ?? '',
    `};`,
    `controls { };`,
    ...(options.upstream === 'iterate' ? ['zone "." { type hint; file "root.hints"; };'] : []),
    policy.zone,
    ...(await Promise.all(
      (options.secondaries ?? []).map((source) =>
        fillSample('bind/sluice-ip-zone.conf', sourceValues(source, listen, folder)),
      ),
    )),
    ...catalogs.zones,
    ...(options.primaries ?? []).map(primaryStatement),
  ];
  const file = join(folder, 'named.conf');
  await writeFile(file, configuration.join('\n'), { mode: 0o600 });
  const peer = await startProgram({
    program: 'named',
    args: ['-g', '-c', file],
    folder,
    listen,
    source,
    internet: options.internet,
  });
  return {
    ...peer,
    replaceZone: async (zone, text) => {
      const timesLoaded = () => peer.log().split(`zone ${zone}/IN: loaded serial`).length;
      const before = timesLoaded();
      await writeFile(join(folder, `${zone}.primary`), text);
      process.kill(peer.pid, 'SIGHUP');
      await eventually(`${zone} is loaded anew`, () => timesLoaded() > before);
    },
  };
}

function ownOptions(listen: Endpoint, source: string, folder: string): string[] {
  return [
    `  directory "${folder}";`,
    `  listen-on port ${listen.port} { ${listen.address}; };`,
    `  listen-on-v6 { none; };`,
    `  transfer-source ${source};`,
    `  notify-source ${listen.address};`,
    `  query-source address ${source};`,
    `  pid-file none; lock-file none; session-keyfile none;`,
    `  dnssec-validation no;`,
    `  empty-zones-enable no;`,
    `  notify-delay 0;`,
  ];
}

function upstreamOptions(options: NamedOptions): string[] {
  const { internet } = options;
  if (internet === undefined) return ['  recursion no;'];
  const recursion = [
    '  recursion yes;',
    '  allow-recursion { any; };',
    '  allow-query-cache { any; };',
  ];
  if (options.upstream === 'iterate') return recursion;
  return [
    ...recursion,
    `  forward only;`,
    `  forwarders { ${internet.address} port ${internet.port}; };`,
  ];
}

async function policyParts(source: ZoneSource | undefined, listen: Endpoint, folder: string) {
  if (source === undefined) return { options: '', zone: '' };
  const values = sourceValues(source, listen, folder);
  return {
    options: await fillSample('bind/sluice-policy.conf', values),
    zone: await fillSample('bind/sluice-policy-zone.conf', values),
  };
}

/** BIND has one list of catalogs, so those after the first go into the list of the first. */
async function catalogParts(sources: readonly ZoneSource[], listen: Endpoint, folder: string) {
  const fill = (sample: string, source: ZoneSource) =>
    fillSample(`bind/${sample}.conf`, sourceValues(source, listen, folder));
  const options = await Promise.all(
    sources.map((source) => fill('sluice-catalog-options', source)),
  );
  const zones = await Promise.all(sources.map((source) => fill('sluice-catalog', source)));
  const [first = '', ...others] = options;
  const entries = others.map((text) => /zone "(?:.|\n)*?min-update-interval 1;/.exec(text)![0]);
  return {
    options: [first.replace(/(min-update-interval 1;)/, (line) => [line, ...entries].join('\n'))],
    zones,
  };
}

/** Each key once, though several zones may use it. */
async function keyStatements(options: NamedOptions): Promise<string[]> {
  const keys = new Map<string, TsigKey>();
  for (const { key } of [
    ...(options.rpz === undefined ? [] : [options.rpz]),
    ...(options.secondaries ?? []),
    ...(options.catalogs ?? []),
    ...(options.primaries ?? []),
  ]) {
    if (key !== undefined) keys.set(key.name, key);
  }
  return Promise.all(
    [...keys.values()].map((key) => fillSample('bind/sluice-key.conf', keyValues(key))),
  );
}

function primaryStatement(zone: PrimaryZone): string {
  const signed = zone.key === undefined ? '' : ` key "${zone.key.name}"`;
  const told = (zone.notify ?? []).map(({ address, port }) => `${address} port ${port}${signed};`);
  return [
    `zone "${zone.zone}" {`,
    `  type primary; file "${zone.zone}.primary";`,
    `  ixfr-from-differences ${zone.incremental === false ? 'no' : 'yes'};`,
    `  allow-query { any; };`,
    `  allow-transfer { ${zone.key === undefined ? 'any' : `key "${zone.key.name}"`}; };`,
    `  notify explicit; also-notify { ${told.join(' ')} };`,
    `};`,
  ].join('\n');
}
