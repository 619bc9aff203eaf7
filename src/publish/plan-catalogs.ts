import { formatName } from '../dns/name.ts';
import type { Account, AccountId, Model } from '../policy/model.ts';
import { type CatalogMember, catalogOf } from '../zone/catalog-content.ts';
import { diffBodies } from '../zone/diff-bodies.ts';
import type { ZoneBody, ZoneSettings, ZoneSnapshot } from '../zone/snapshot.ts';
import type { PlanOptions } from './plan-change.ts';
import type { ZoneChange } from './publisher.ts';
import type { PublishedState } from './state.ts';
import { countStep, firstSnapshot, type NextZone, nextSnapshot } from './zone-build.ts';
import { catalogOrigin, zoneSettings } from './zone-names.ts';

/** A catalog zone that there should be, with what it lists. */
export interface WantedCatalog {
  readonly origin: string;
  /** Null for the catalog of the whole server. */
  readonly accountId: AccountId | null;
  readonly body: Extract<ZoneBody, { readonly kind: 'catalog' }>;
}

/**
 * The catalog zones (RFC 9432) over these zones: one for each account, and one of the server. They
 * list the zones of policies, under former names too, and those of devices; no catalog zone is a
 * member of another.
 */
export function wantedCatalogs(
  model: Model,
  zones: Iterable<ZoneSnapshot>,
  { defaults }: Pick<PlanOptions, 'defaults'>,
): readonly WantedCatalog[] {
  if (!defaults.catalogs) return [];
  const server = createLister(null, catalogOrigin(null, defaults));
  const accounts = new Map(
    [...model.accounts.values()].map((account) => [
      account.id,
      createLister(account.id, catalogOrigin(account, defaults)),
    ]),
  );
  for (const { settings, accountId, body } of zones) {
    const account = accountId === null ? undefined : model.accounts.get(accountId);
    if (account === undefined || body.kind === 'catalog') continue;
    const own = accounts.get(account.id)!;
    const zone = { settings, group: GROUP_OF_KIND[body.kind] };
    own.list(zone, listingIn(account, 'account'), server.origin);
    server.list(zone, listingIn(account, 'server'), own.origin);
  }
  return [...accounts.values(), server].map((lister) => lister.finish(defaults.apexTtl));
}

/** Catalog zones as they will be. They stay as they are when no zone came or went and no account changed. */
export function* planCatalogs({
  state,
  model,
  zones,
  changes,
  options,
}: {
  readonly state: PublishedState;
  readonly model: Model;
  readonly zones: ReadonlyMap<string, ZoneSnapshot>;
  readonly changes: readonly ZoneChange[];
  readonly options: PlanOptions;
}): Generator<NextZone & { readonly origin: string }> {
  const { now, limits, defaults } = options;
  const isNew = changes.some(({ fromSerial }) => fromSerial === null);
  const known = [...state.zones].filter(([, { body }]) => body.kind === 'catalog');
  const left = [...state.zones.keys()].some(
    (origin) => !zones.has(origin) && state.zones.get(origin)?.body.kind !== 'catalog',
  );
  if (!isNew && !left && state.model.accounts === model.accounts) {
    for (const [origin, zone] of known) yield { origin, zone, step: null };
    return;
  }
  for (const { origin, accountId, body } of wantedCatalogs(model, zones.values(), options)) {
    const zone = state.zones.get(origin);
    const duty = { accountId, policyId: null, deviceId: null, former: false };
    const diff = zone === undefined ? null : diffBodies(zone.body, body);
    if (zone === undefined) {
      const previous = state.tombstones.get(origin) ?? null;
      const settings = zoneSettings(origin, defaults);
      const first = firstSnapshot({ settings, duty, body, previous, now, defaults });
      yield { origin, zone: first, step: null };
    } else if (diff === null) {
      yield { origin, zone, step: null };
    } else {
      const step = countStep(zone, body, diff);
      yield { origin, zone: nextSnapshot({ snapshot: zone, duty, step, now, limits }).next, step };
    }
  }
}

/** By its group a consumer can serve RPZ and IP zones by different rules. */
const GROUP_OF_KIND = { rpz: 'rpz', ip: 'ip' } as const;

/** Whether a catalog lists the zones of an account, and if so whether it hands them over to the other one. */
type Listing = 'listed' | 'handed over' | 'not listed';

/**
 * A handover has two steps, since a consumer takes a zone over only with an update of the new owner
 * that comes after the old one has named it (RFC 9432 section 4.3.1): first the old owner names the
 * new one, which lists nothing yet; then both list, until the old one lists nothing more.
 */
function listingIn({ catalogs, handover }: Account, catalog: 'account' | 'server'): Listing {
  if (catalogs === 'both') return 'listed';
  const isOwner = catalogs === catalog;
  if (handover === null) return isOwner ? 'listed' : 'not listed';
  if (!isOwner) return 'handed over';
  return handover.phase === 'listed' ? 'listed' : 'not listed';
}

function createLister(accountId: AccountId | null, origin: string) {
  const members: CatalogMember[] = [];
  return {
    origin,
    list(zone: ListedZone, listing: Listing, other: string): void {
      if (listing === 'not listed') return;
      members.push(memberFor(zone, listing === 'handed over' ? other : null));
    },
    finish: (ttl: number): WantedCatalog => ({
      origin,
      accountId,
      body: { kind: 'catalog', content: catalogOf(members), ttl },
    }),
  };
}

interface ListedZone {
  readonly settings: ZoneSettings;
  readonly group: string;
}

/**
 * The same object for the same properties of a zone, as long as it is served: what is made ready from
 * a member is kept with it, and catalogs of thousands of zones change by one.
 */
function memberFor({ settings, group }: ListedZone, newOwner: string | null): CatalogMember {
  const known = membersOf.get(settings) ?? [];
  const same = known.find((member) => member.group === group && member.newOwner === newOwner);
  if (same !== undefined) return same;
  const member = { origin: formatName(settings.origin), group, newOwner };
  membersOf.set(settings, [...known, member]);
  return member;
}

const membersOf = new WeakMap<ZoneSettings, readonly CatalogMember[]>();
