import { execFileSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '../client.ts';
import { startProcess, stopProcess } from '../processes.ts';
import type { HubServer } from './hub.ts';
import { inTier, tierAddress } from './network.ts';

export type TierKind = 'knot' | 'bind' | 'nsd';

/** A secondary in its namespace. */
export interface Tier extends Endpoint {
  readonly name: string;
  /** NSD 4.6 knows no catalog zones: it has the zones that there were when it was configured. */
  readonly followsCatalog: boolean;
  stop(): Promise<void>;
}

const TIER_CONFIG = fileURLToPath(new URL('../../tier-config.ts', import.meta.url));
const PORT = 53;
const NETWORK = '10.99.0.0/24';

const PROGRAMS: Readonly<
  Record<TierKind, { readonly title: string; readonly clients: string; readonly command: string[] }>
> = {
  knot: { title: 'Knot DNS', clients: NETWORK, command: ['knotd', '-c'] },
  bind: { title: 'BIND', clients: NETWORK, command: ['named', '-g', '-c'] },
  nsd: { title: 'NSD', clients: NETWORK, command: ['nsd', '-d', '-c'] },
};

/** Configured by scripts/tier-config.ts from the running Sluice, as an operator would. */
export async function startTier(options: {
  readonly kind: TierKind;
  readonly index: number;
  readonly hub: HubServer;
  readonly folder: string;
}): Promise<Tier> {
  const { kind, index, hub } = options;
  const folder = join(options.folder, `tier${index}`);
  mkdirSync(folder);
  const address = tierAddress(index);
  const { title, clients, command } = PROGRAMS[kind];
  const given = {
    for: kind,
    api: hub.apiUrl,
    device: `tier-${index}`,
    primary: hub.address,
    port: String(hub.port),
    own: address,
    clients,
    state: folder,
    out: folder,
  };
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
  execFileSync(process.execPath, [TIER_CONFIG, ...args], {
    env: { ...process.env, SLUICE_TOKEN: hub.token },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const config = join(folder, `${kind}.main`);
  writeFileSync(config, configOf(kind, folder, address));
  const log = openSync(join(folder, 'log'), 'a');
  const child = startProcess('ip', inTier(index, ...command, config), {
    stdio: ['ignore', log, log],
    cwd: folder,
  });
  child.once('exit', (code) => {
    if (code !== 0) process.stderr.write(readFileSync(join(folder, 'log'), 'utf8').slice(-2_000));
  });
  return {
    name: `${title} (${address.split('.').at(-1)})`,
    address,
    port: PORT,
    followsCatalog: kind !== 'nsd',
    stop: () => stopProcess(child),
  };
}

function configOf(kind: TierKind, folder: string, address: string): string {
  switch (kind) {
    case 'knot':
      return `server:
  listen: ${address}@${PORT}
  rundir: "${folder}"
database:
  storage: "${folder}"
log:
  - target: stdout
    any: warning
include: "${folder}/sluice-catalog.conf"
`;
    case 'bind':
      return `include "${folder}/sluice-key.conf";
options {
  directory "${folder}";
  listen-on port ${PORT} { ${address}; };
  listen-on-v6 { none; };
  pid-file none; lock-file none; session-keyfile none;
  recursion no;
  dnssec-validation no;
  // The defaults spread transfers over a long time.
  transfers-in 100; transfers-per-ns 100; serial-query-rate 1000;
  include "${folder}/sluice-catalog-options.conf";
};
controls { };
include "${folder}/sluice-catalog.conf";
`;
    case 'nsd':
      return `server:
  ip-address: ${address}@${PORT}
  username: ""
  zonesdir: "${folder}"
  pidfile: ""
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  database: ""
remote-control:
  control-enable: no
include: "${folder}/sluice-key.conf"
include: "${folder}/sluice-zones.conf"
`;
  }
}
