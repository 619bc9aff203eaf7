import { formatName, type Name, parseName } from '../dns/name.ts';
import { POLICY_TYPE_OF_DEVICE } from '../policy/device-type.ts';
import type { Account, Device, Policy, PolicyType } from '../policy/model.ts';
import type { PolicySide, ZoneSettings } from '../zone/snapshot.ts';

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
  /** Whether there are catalog zones; without it there are none. */
  readonly catalogs?: boolean;
  /** Whether IP and catalog zones have a ZONEMD record; without it they have none. */
  readonly zonemd?: boolean;
}

/** The name of a zone, and what it is for. */
export interface ZoneName {
  /** Absolute, lower case, in presentation form. */
  readonly origin: string;
  readonly side: PolicySide;
  /** Whether it is made of a name that the policy had formerly. */
  readonly former: boolean;
}

/** The zones of a policy: one for DNS, a pair for IP. */
export function sidesOf({ type }: Pick<Policy, 'type'>): readonly PolicySide[] {
  return SIDES[type];
}

const SIDES: Readonly<Record<PolicyType, readonly PolicySide[]>> = {
  dns: ['rpz'],
  ip: ['block', 'allow'],
};

/** `rpz.P.A.R.`, `block.P.A.R.` or `allow.P.A.R.`: lower case, with final dot. */
export function zoneOrigin(
  policy: Pick<Policy, 'name'>,
  side: PolicySide,
  account: Account,
  defaults: ZoneDefaults,
): string {
  return originBelow(`${side}.${policy.name}.${account.label}`, defaults);
}

/** The zones of a policy under its name, then those under the names that it had. */
export function zonesOfPolicy(
  policy: Policy,
  account: Account,
  defaults: ZoneDefaults,
): readonly ZoneName[] {
  return remembered(policy, () =>
    [policy, ...policy.formerNames].flatMap(({ name }, index) =>
      sidesOf(policy).map((side) => ({
        origin: zoneOrigin({ name }, side, account, defaults),
        side,
        former: index > 0,
      })),
    ),
  );
}

/** A device's own zones, which carry whatever it is assigned: `rpz.D.dev.A.R.`, or the pair. */
export function zonesOfDevice(
  device: Device,
  account: Account,
  defaults: ZoneDefaults,
): readonly ZoneName[] {
  const type = POLICY_TYPE_OF_DEVICE[device.type];
  if (type === null) return [];
  return remembered(device, () =>
    SIDES[type].map((side) => ({
      origin: originBelow(`${side}.${device.name}.dev.${account.label}`, defaults),
      side,
      former: false,
    })),
  );
}

/** `catalog.A.R.`, the catalog zone of an account; without one `catalog.R.`, that of the whole server. */
export function catalogOrigin(account: Account | null, defaults: ZoneDefaults): string {
  return originBelow(
    account === null ? CATALOG_LABEL : `${CATALOG_LABEL}.${account.label}`,
    defaults,
  );
}

const CATALOG_LABEL = 'catalog';

/** Entities are replaced, never changed, and asked for their zones after every edit of anything. */
function remembered(entity: object, make: () => readonly ZoneName[]): readonly ZoneName[] {
  const known = zonesOfEntity.get(entity);
  if (known !== undefined) return known;
  const zones = make();
  zonesOfEntity.set(entity, zones);
  return zones;
}

const zonesOfEntity = new WeakMap<object, readonly ZoneName[]>();

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

function originBelow(labels: string, defaults: ZoneDefaults): string {
  return formatName(parseName(labels, parseName(absolute(defaults.root)))).toLowerCase();
}

function absolute(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}
