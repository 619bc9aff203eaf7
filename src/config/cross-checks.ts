import { BlockList, isIPv6 } from 'node:net';
import { fitsOnTheWire, withRoot } from './name-kinds.ts';
import type { Position, Problem } from './problem.ts';
import type { Config } from './settings.ts';

/** A rule about several settings, which each for itself are right. */
interface CrossCheck {
  /** The settings it looks at. The problem is shown at the first of them that the file names. */
  readonly settings: readonly string[];
  /** What is wrong, or null. */
  readonly check: (config: Config) => string | null;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4'); // RFC 1122 section 3.2.1.3
LOOPBACK.addAddress('::1', 'ipv6'); // RFC 4291 section 2.5.3

/** Where this server takes up a login that a provider has checked. */
const CALLBACK_PATH = '/api/v1/session/openid/callback';

const CROSS_CHECKS: readonly CrossCheck[] = [
  {
    settings: ['http.listen.address', 'http.allowRemote'],
    check: ({ http }) =>
      http.allowRemote || isLoopback(http.listen.address)
        ? null
        : `${http.listen.address} can be reached from other machines: use 127.0.0.1 or ::1, or set http.allowRemote to true`,
  },
  {
    settings: ['http.tls.certificateFile', 'http.tls.keyFile'],
    check: ({ http: { tls } }) =>
      (tls.certificateFile === null) === (tls.keyFile === null)
        ? null
        : 'certificateFile and keyFile are given both or not at all',
  },
  {
    settings: ['dns.tls.certificateFile', 'dns.tls.keyFile'],
    check: ({ dns: { tls } }) =>
      (tls.certificateFile === null) === (tls.keyFile === null)
        ? null
        : 'certificateFile and keyFile are given both or not at all',
  },
  {
    settings: ['dns.tls.listen', 'dns.tls.certificateFile'],
    check: ({ dns: { tls } }) =>
      tls.listen.length === 0 || tls.certificateFile !== null
        ? null
        : 'listen needs certificateFile and keyFile',
  },
  {
    settings: ['dns.tls.listen', 'dns.listen'],
    check: ({ dns }) => {
      const taken = new Set(dns.listen.map(({ address, port }) => `${address} port ${port}`));
      const twice = dns.tls.listen.find(({ address, port }) =>
        taken.has(`${address} port ${port}`),
      );
      return twice === undefined
        ? null
        : `${twice.address} port ${twice.port} is in dns.listen already: TLS needs a port of its own`;
    },
  },
  {
    settings: ['http.sessions.idleTimeout', 'http.sessions.lifetime'],
    check: ({ http: { sessions } }) =>
      sessions.idleTimeoutMs <= sessions.lifetimeMs
        ? null
        : 'idleTimeout must not be longer than lifetime',
  },
  {
    settings: ['http.openid.issuer', 'http.openid.clientId', 'http.openid.redirectUri'],
    check: ({ http: { openid } }) => {
      const given = [openid.issuer, openid.clientId, openid.redirectUri];
      const count = given.filter((value) => value !== null).length;
      return count === 0 || count === given.length
        ? null
        : 'issuer, clientId and redirectUri are given together';
    },
  },
  {
    settings: ['http.openid.redirectUri'],
    check: ({ http: { openid } }) =>
      openid.redirectUri === null || new URL(openid.redirectUri).pathname.endsWith(CALLBACK_PATH)
        ? null
        : `the path of redirectUri must end in ${CALLBACK_PATH}`,
  },
  {
    settings: ['http.openid.scopes'],
    // OpenID Connect Core section 3.1.2.1.
    check: ({ http: { openid } }) =>
      openid.scopes.split(' ').includes('openid') ? null : 'openid must be one of the scopes',
  },
  {
    settings: ['http.openid.roles', 'http.openid.roleClaim'],
    check: ({ http: { openid } }) =>
      openid.roles.length === 0 || openid.roleClaim !== null
        ? null
        : 'roles are given for values of roleClaim, which is none',
  },
  {
    settings: ['http.openid.createUsers', 'http.openid.defaultRole', 'http.openid.roleClaim'],
    check: ({ http: { openid } }) =>
      !openid.createUsers || openid.defaultRole !== null || openid.roleClaim !== null
        ? null
        : 'createUsers needs defaultRole or roleClaim: new users have a role',
  },
  {
    settings: ['soa.retry', 'soa.refresh'],
    // RFC 1912 section 2.2.
    check: ({ soa }) =>
      soa.retrySeconds < soa.refreshSeconds
        ? null
        : `retry (${soa.retrySeconds}s) must be shorter than refresh (${soa.refreshSeconds}s)`,
  },
  {
    settings: ['dns.tcp.connectionsPerClientMax', 'dns.tcp.connectionsMax'],
    check: ({ dns: { tcp } }) =>
      tcp.connectionsPerClientMax <= tcp.connectionsMax
        ? null
        : `connectionsPerClientMax (${tcp.connectionsPerClientMax}) must not be above connectionsMax (${tcp.connectionsMax})`,
  },
  {
    settings: ['dns.transfers.runningPerClientMax', 'dns.transfers.runningMax'],
    check: ({ dns: { transfers } }) =>
      transfers.runningPerClientMax <= transfers.runningMax
        ? null
        : `runningPerClientMax (${transfers.runningPerClientMax}) must not be above runningMax (${transfers.runningMax})`,
  },
  {
    settings: ['process.group', 'process.user'],
    check: ({ process }) =>
      process.group === null || process.user !== null
        ? null
        : 'group needs user: without it the process keeps its user and its group',
  },
  {
    settings: ['soa.ns', 'root'],
    check: ({ soa, root }) => tooLong(withRoot(soa.ns, root)),
  },
  {
    settings: ['soa.hostmaster', 'root'],
    check: ({ soa, root }) => tooLong(withRoot(soa.hostmaster, root)),
  },
];

/** Checks settings against each other. A setting that has a problem already is left out of it. */
export function crossCheck(
  config: Config,
  found: readonly Problem[],
  where: { readonly file: string; readonly positions: ReadonlyMap<string, Position> },
): Problem[] {
  const { file, positions } = where;
  return CROSS_CHECKS.flatMap(({ settings, check }): Problem[] => {
    if (settings.some((setting) => isAmong(setting, found))) return [];
    const message = check(config);
    if (message === null) return [];
    const path = settings.find((setting) => positions.has(setting)) ?? settings[0];
    return [{ file, position: positions.get(path) ?? null, path, message }];
  });
}

function isAmong(setting: string, problems: readonly Problem[]): boolean {
  // A problem with a whole group makes every setting in it uncertain.
  return problems.some(({ path }) => path === setting || setting.startsWith(`${path}.`));
}

function isLoopback(address: string): boolean {
  return LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function tooLong(name: string): string | null {
  // RFC 1035 section 2.3.4.
  return fitsOnTheWire(name) ? null : `${name} is longer than 255 octets on the wire`;
}
