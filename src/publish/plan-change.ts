import type { Catalogue } from '../indicators/catalogue.ts';
import { sameMembers } from '../policy/changed-owners.ts';
import { resolveMembers } from '../policy/members.ts';
import type { Model, Policy, PolicyId } from '../policy/model.ts';
import { type CompiledPolicy, compilePolicy, updatePolicy } from '../zone/policy-zones.ts';
import { createRpzRendering } from '../zone/rpz-rendering.ts';
import type { ZoneSide, ZoneSnapshot } from '../zone/snapshot.ts';
import type { ZoneChange } from './publisher.ts';
import type { PublishedState } from './state.ts';
import {
  bodyOf,
  diffOfSide,
  firstSnapshot,
  type JournalLimits,
  nextSnapshot,
} from './zone-build.ts';
import { sidesOf, type ZoneDefaults, zoneOrigin, zoneSettings } from './zone-names.ts';

export interface PlanOptions {
  readonly catalogue: Catalogue;
  readonly defaults: ZoneDefaults;
  readonly limits: JournalLimits;
  /** Unix milliseconds. */
  readonly now: number;
}

/** What a new model makes of the zones: nothing of it is visible yet. */
export interface Plan {
  readonly compiled: ReadonlyMap<PolicyId, CompiledPolicy>;
  readonly zones: ReadonlyMap<string, ZoneSnapshot>;
  readonly tombstones: PublishedState['tombstones'];
  /** Zones whose serial changed, that are new or gone, by origin. */
  readonly changes: readonly ZoneChange[];
}

/** Resolves the policies that an edit reached and gives each zone whose content differs its next serial. */
export function planChange(state: PublishedState, model: Model, options: PlanOptions): Plan {
  const compiled = new Map(state.compiled);
  const zones = new Map(state.zones);
  const tombstones = new Map(state.tombstones);
  const changes: ZoneChange[] = [];

  for (const [id, policy] of state.model.policies) {
    const next = model.policies.get(id);
    if (next && isSameShape(policy, next)) continue;
    // Gone, renamed, or with other records throughout: its zones begin anew.
    for (const origin of originsOf(policy, state.model, options.defaults)) {
      const zone = zones.get(origin);
      if (zone === undefined) continue;
      zones.delete(origin);
      tombstones.set(origin, zone.serial);
      changes.push({ ...NO_RECORDS, origin, fromSerial: zone.serial, toSerial: null });
    }
    compiled.delete(id);
  }
  // Devices, keys and tokens say nothing about content.
  const isContentSame =
    state.model.targets === model.targets &&
    state.model.bundles === model.bundles &&
    state.model.lists === model.lists &&
    state.model.policies === model.policies;
  for (const policy of isContentSame ? [] : model.policies.values()) {
    const known = compiled.get(policy.id);
    const members = resolveMembers(policy, model);
    if (known === undefined) {
      const fresh = compilePolicy(
        options.catalogue,
        policy,
        members,
        createRpzRendering(policy.ttl, []),
      );
      compiled.set(policy.id, fresh);
      beginZones({ policy, compiled: fresh, model, zones, tombstones, changes, options });
    } else if (!sameMembers(known.members, members) || hostsDiffer(known, policy)) {
      const diff = updatePolicy(options.catalogue, policy, known, members);
      compiled.set(policy.id, diff.compiled);
      for (const side of sidesOf(policy)) {
        const sideDiff = diffOfSide(diff, side);
        if (sideDiff === null) continue;
        const origin = originOf(policy, side, model, options.defaults);
        const { limits, now } = options;
        const snapshot = zones.get(origin)!;
        const { next, revision } = nextSnapshot({ snapshot, diff: sideDiff, limits, now });
        const { fromSerial, toSerial, recordsRemoved, recordsAdded } = revision;
        zones.set(origin, next);
        changes.push({ origin, fromSerial, toSerial, recordsRemoved, recordsAdded });
      }
    }
  }
  return { compiled, zones, tombstones, changes: mergeChanges(changes) };
}

const NO_RECORDS = { recordsRemoved: 0, recordsAdded: 0 };

/** Whether a policy still has the same zones with the same form of records. */
function isSameShape(before: Policy, after: Policy): boolean {
  return (
    before.name === after.name && before.ttl === after.ttl && before.accountId === after.accountId
  );
}

function hostsDiffer(known: CompiledPolicy, policy: Policy): boolean {
  return known.kind === 'ip' && known.hostsMax !== policy.hostsMax;
}

function originsOf(policy: Policy, model: Model, defaults: ZoneDefaults): string[] {
  return sidesOf(policy).map((side) => originOf(policy, side, model, defaults));
}

function originOf(policy: Policy, side: ZoneSide, model: Model, defaults: ZoneDefaults): string {
  const account = model.accounts.get(policy.accountId);
  if (account === undefined) throw new Error(`policy ${policy.id} belongs to no account`);
  return zoneOrigin(policy, side, account, defaults);
}

function beginZones(begin: {
  readonly policy: Policy;
  readonly compiled: CompiledPolicy;
  readonly model: Model;
  readonly zones: Map<string, ZoneSnapshot>;
  readonly tombstones: Map<string, ZoneSnapshot['serial']>;
  readonly changes: ZoneChange[];
  readonly options: PlanOptions;
}): void {
  const { policy, compiled, model, zones, tombstones, changes, options } = begin;
  for (const side of sidesOf(policy)) {
    const origin = originOf(policy, side, model, options.defaults);
    const previous = tombstones.get(origin) ?? null;
    tombstones.delete(origin);
    const snapshot = firstSnapshot({
      settings: zoneSettings(origin, options.defaults),
      policyId: policy.id,
      body: bodyOf(compiled, side, policy),
      previous,
      now: options.now,
    });
    zones.set(origin, snapshot);
    changes.push({
      origin,
      fromSerial: null,
      toSerial: snapshot.serial,
      recordsRemoved: 0,
      recordsAdded: snapshot.records,
    });
  }
}

/** A zone that ended and began anew in one edit is one change. */
function mergeChanges(changes: readonly ZoneChange[]): ZoneChange[] {
  const merged = new Map<string, ZoneChange>();
  for (const change of changes) {
    const known = merged.get(change.origin);
    merged.set(change.origin, known ? { ...change, fromSerial: known.fromSerial } : change);
  }
  return [...merged.values()].sort((a, b) => (a.origin < b.origin ? -1 : 1));
}
