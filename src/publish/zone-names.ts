import { formatName, type Name, parseName } from '../dns/name.ts';
import type { Account, Policy } from '../policy/model.ts';
import type { ZoneSettings, ZoneSide } from '../zone/snapshot.ts';

/** What all zones of a server have in common. Names in presentation form; times in seconds. */
export interface ZoneDefaults {
  /** The name below which all zones are, for example `sluice.internal`. */
  readonly root: string;
  /** Primary server and mailbox of the SOA; `ns.` and `hostmaster.` below the root when absent. */
  readonly primary?: string;
  readonly hostmaster?: string;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
  readonly apexTtl: number;
}

/** The zones of a policy: one for DNS, a pair for IP. */
export function sidesOf(policy: Policy): readonly ZoneSide[] {
  return policy.type === 'dns' ? ['rpz'] : ['block', 'allow'];
}

/** `rpz.P.A.R.`, `block.P.A.R.` or `allow.P.A.R.`: lower case, with final dot. */
export function zoneOrigin(
  policy: Policy,
  side: ZoneSide,
  account: Account,
  defaults: ZoneDefaults,
): string {
  const root = parseName(absolute(defaults.root));
  const origin = parseName(`${side}.${policy.name}.${account.label}`, root);
  return formatName(origin).toLowerCase();
}

export function zoneSettings(origin: string, defaults: ZoneDefaults): ZoneSettings {
  const root = parseName(absolute(defaults.root));
  const below = (given: string | undefined, label: string): Name =>
    given === undefined ? parseName(label, root) : parseName(absolute(given));
  return {
    origin: parseName(origin),
    primary: below(defaults.primary, 'ns'),
    hostmaster: below(defaults.hostmaster, 'hostmaster'),
    refresh: defaults.refresh,
    retry: defaults.retry,
    expire: defaults.expire,
    minimum: defaults.minimum,
    apexTtl: defaults.apexTtl,
  };
}

function absolute(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}
