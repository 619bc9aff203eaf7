import type { Config } from './config/index.ts';

/** When a setting that was changed in the file counts. */
export type Taken =
  /** With the next reload. */
  | 'reload'
  /** When the server is started again. */
  | 'restart'
  /** When the database is made: later it changes nothing. */
  | 'new-database';

/** The same shape as the configuration, with a word for every setting in it. */
type TakenOf<Value> = {
  readonly [Key in keyof Value]: Value[Key] extends Scalar ? Taken : TakenOf<Value[Key]>;
};
type Scalar = string | number | boolean | null | readonly unknown[];

/** For each setting when it is taken. A new setting does not compile until it stands here. */
export const TAKEN: TakenOf<Config> = {
  root: 'restart',
  account: 'new-database',
  dataDirectory: 'restart',
  sampleCatalogue: 'new-database',
  dns: {
    listen: 'restart',
    udpPayloadMaxOctets: 'restart',
    tls: {
      listen: 'restart',
      certificateFile: 'reload',
      keyFile: 'reload',
      clientAuthoritiesFile: 'reload',
    },
    proxyProtocol: { from: 'reload' },
    identity: { version: 'reload', id: 'reload', nsid: 'reload' },
    cookies: {
      enabled: 'restart',
      required: 'restart',
      secretFile: 'reload',
      rotationMs: 'restart',
    },
    rateLimit: {
      answersPerSecond: 'reload',
      slip: 'reload',
      ipv4PrefixLength: 'reload',
      ipv6PrefixLength: 'reload',
      exempt: 'reload',
    },
    tcp: {
      connectionsMax: 'reload',
      connectionsPerClientMax: 'reload',
      queriesPendingMax: 'reload',
      idleTimeoutMs: 'reload',
    },
    transfers: {
      runningMax: 'reload',
      runningPerClientMax: 'reload',
      runningPerKeyMax: 'reload',
      stallTimeoutMs: 'reload',
    },
  },
  tsig: { allowSha1: 'restart', allowMd5: 'restart', retireAfterMs: 'restart' },
  soa: {
    ns: 'restart',
    hostmaster: 'restart',
    refreshSeconds: 'restart',
    retrySeconds: 'restart',
    expireSeconds: 'restart',
    minimumSeconds: 'restart',
  },
  zones: { catalogs: 'restart', zonemd: 'restart' },
  policies: { ttlSeconds: 'reload', renameGraceMs: 'reload' },
  changes: {
    warnShrinkPercent: 'reload',
    warnGrowPercent: 'reload',
    holdShrinkPercent: 'reload',
    holdGrowPercent: 'reload',
    recordsMin: 'reload',
    holdNeverBlock: 'reload',
    // The guard of feeds is made of them when the feeds are started.
    ownNetworks: 'restart',
  },
  journal: { revisionsMax: 'restart', zoneMaxOctets: 'restart' },
  transfer: { frameCacheMaxOctets: 'restart' },
  notify: {
    timeoutMs: 'reload',
    backoffMaxMs: 'reload',
    inFlightMax: 'reload',
    inFlightPerEndpointMax: 'reload',
    perSecondMax: 'reload',
  },
  convergence: { expectedMs: 'reload' },
  process: { user: 'restart', group: 'restart', stopDeadlineMs: 'reload' },
  lookup: { servers: 'restart' },
  feeds: { directory: 'restart', runningMax: 'restart', allowPrivateSources: 'restart' },
  http: {
    listen: { address: 'restart', port: 'restart' },
    allowRemote: 'restart',
    trustedProxies: 'restart',
    tls: { certificateFile: 'restart', keyFile: 'restart' },
    sessions: { lifetimeMs: 'restart', idleTimeoutMs: 'restart', secureCookie: 'restart' },
    openid: {
      issuer: 'restart',
      clientId: 'restart',
      clientSecretFile: 'restart',
      redirectUri: 'restart',
      scopes: 'restart',
      linkByEmail: 'restart',
      roleClaim: 'restart',
      roles: 'restart',
      defaultRole: 'restart',
      createUsers: 'restart',
      account: 'restart',
    },
    bodyMaxOctets: 'restart',
  },
  log: { level: 'reload', format: 'restart', queries: 'reload', transfers: 'reload' },
};

/** Settings that differ, by their names in the file, and by when they count. */
export type Differences = Readonly<Record<Taken, readonly string[]>>;

export function differencesOf(before: Config, after: Config): Differences {
  const found: Record<Taken, string[]> = { reload: [], restart: [], 'new-database': [] };
  const compare = (taken: unknown, old: unknown, next: unknown, path: string): void => {
    if (typeof taken === 'string') {
      if (JSON.stringify(old) !== JSON.stringify(next)) found[taken as Taken].push(path);
      return;
    }
    for (const [property, inner] of Object.entries(taken as object)) {
      const of = (value: unknown) => (value as Record<string, unknown>)[property];
      const name = nameInFile(property);
      compare(inner, of(old), of(next), path === '' ? name : `${path}.${name}`);
    }
  };
  compare(TAKEN, before, after, '');
  return found;
}

/** In the file the unit stands with the value and not in the name. */
function nameInFile(property: string): string {
  return property.replace(/(?:Ms|Seconds|Octets)$/, '');
}
