import type { Account, AccountId, DeviceId, Model, PolicyId } from '../policy/model.ts';
import { diffBodies, hasSameForm } from '../zone/diff-bodies.ts';
import { EMPTY_IP } from '../zone/ip-content.ts';
import type { PolicySide, Revision, ZoneBody, ZoneSnapshot } from '../zone/snapshot.ts';
import type { Steps } from '../zone/steps.ts';
import { planCatalogs } from './plan-catalogs.ts';
import type { Plan, PlanOptions } from './plan-change.ts';
import { bodyServed, type ContentLines } from './plan-policies.ts';
import type { ZoneChange } from './publisher.ts';
import type { PublishedState } from './state.ts';
import {
  type BodyStep,
  countStep,
  firstSnapshot,
  type NextZone,
  nextSnapshot,
  type ZoneDuty,
} from './zone-build.ts';
import { type ZoneName, zoneSettings, zonesOfDevice, zonesOfPolicy } from './zone-names.ts';

/** A zone that there should be. */
export interface WantedZone extends ZoneDuty {
  readonly origin: string;
  readonly side: PolicySide;
}

/**
 * Every zone that a model asks for: those of the policies, under former names too, and those of the
 * devices. Catalog zones follow from these.
 */
export function* wantedZones(
  model: Model,
  { defaults }: Pick<PlanOptions, 'defaults'>,
): Generator<WantedZone> {
  const wanted = (
    { origin, side, former }: ZoneName,
    { id: accountId }: Account,
    policyId: PolicyId | null,
    deviceId: DeviceId | null,
  ): WantedZone => ({ origin, side, former, accountId, policyId, deviceId });
  for (const policy of model.policies.values()) {
    const account = accountOf(policy.accountId, model);
    for (const name of zonesOfPolicy(policy, account, defaults)) {
      yield wanted(name, account, policy.id, null);
    }
  }
  for (const device of model.devices.values()) {
    const account = accountOf(device.accountId, model);
    for (const name of zonesOfDevice(device, account, defaults)) {
      yield wanted(name, account, device.policyId, device.id);
    }
  }
}

/** Gives each zone whose content differs its next serial; makes and drops zones as the model asks. */
export function* planZones(
  state: PublishedState,
  model: Model,
  lines: ContentLines,
  options: PlanOptions,
): Steps<Pick<Plan, 'zones' | 'tombstones' | 'changes'>> {
  const { model: before } = state;
  const hasSameZones = before.policies === model.policies && before.devices === model.devices;
  if (lines.size === 0 && hasSameZones && before.accounts === model.accounts) {
    return { zones: state.zones, tombstones: state.tombstones, changes: [] };
  }
  const zones = new Map<string, ZoneSnapshot>();
  const tombstones = new Map(state.tombstones);
  const changes: ZoneChange[] = [];
  const put = (origin: string, { zone, step }: NextZone): void => {
    const known = state.zones.get(origin);
    zones.set(origin, zone);
    tombstones.delete(origin);
    if (zone.serial !== known?.serial) changes.push(changeOf(origin, known, zone, step));
  };
  const next = createNextZone(state, lines, options);
  for (const wanted of wantedZones(model, options)) {
    put(wanted.origin, next(wanted, state.zones.get(wanted.origin)));
    yield;
  }
  for (const catalog of planCatalogs({ state, model, zones, changes, options })) {
    put(catalog.origin, catalog);
  }
  for (const [origin, zone] of state.zones) {
    if (zones.has(origin)) continue;
    tombstones.set(origin, zone.serial);
    changes.push(changeOf(origin, zone, undefined, null));
  }
  changes.sort((a, b) => (a.origin < b.origin ? -1 : 1));
  return { zones, tombstones, changes };
}

function createNextZone(state: PublishedState, lines: ContentLines, options: PlanOptions) {
  const { now, limits, defaults } = options;
  const steps = new Map<string, BodyStep>();

  /** Zones that go from one content to another together share the step, which is counted once. */
  const stepOf = (
    zone: ZoneSnapshot,
    { policyId, side }: WantedZone,
    after: ZoneBody,
    diff: Revision['diff'],
  ): BodyStep => {
    const key = `${zone.policyId} ${policyId} ${side}`;
    const known = steps.get(key);
    if (known !== undefined) return known;
    const step = countStep(zone, after, diff);
    steps.set(key, step);
    return step;
  };
  /** Undefined when the two are equal. */
  const transition = (zone: ZoneSnapshot, wanted: WantedZone, after: ZoneBody) => {
    const known = steps.get(`${zone.policyId} ${wanted.policyId} ${wanted.side}`);
    if (known !== undefined) return known;
    const diff = diffBodies(zone.body, after);
    return diff === null ? undefined : stepOf(zone, wanted, after, diff);
  };

  return (wanted: WantedZone, zone: ZoneSnapshot | undefined): NextZone => {
    const { origin, accountId, policyId, deviceId, former, side } = wanted;
    const duty = { accountId, policyId, deviceId, former };
    const line = policyId === null ? undefined : lines.get(policyId)?.get(side);
    const isSameDuty = zone?.policyId === policyId;
    // What nobody changed goes on as it is.
    if (zone !== undefined && isSameDuty && (line?.change ?? null) === null) {
      const isSameOwner = zone.former === former && zone.deviceId === deviceId;
      return { zone: isSameOwner ? zone : { ...zone, ...duty }, step: null };
    }
    const after = line?.after ?? contentOf(wanted, state, options);
    const anew = (): NextZone => {
      const previous = zone?.serial ?? state.tombstones.get(origin) ?? null;
      const settings = zone?.settings ?? zoneSettings(origin, defaults);
      const first = firstSnapshot({ settings, duty, body: after, previous, now, defaults });
      return { zone: first, step: null };
    };
    if (zone === undefined || line?.change === 'anew' || !hasSameForm(zone.body, after)) {
      return anew();
    }
    const diff = isSameDuty ? line?.change : null;
    const step = diff ? stepOf(zone, wanted, after, diff) : transition(zone, wanted, after);
    if (step === undefined) return { zone: { ...zone, ...duty, body: after }, step: null };
    // RFC 1995 section 2: nobody is sent a difference that outweighs the zone, so it need not be kept.
    if (!isSameDuty && outweighs(step)) return anew();
    const { next } = nextSnapshot({ snapshot: zone, duty, step, now, limits });
    return { zone: next, step };
  };
}

function outweighs({ records, revision }: BodyStep): boolean {
  return revision.recordsRemoved + revision.recordsAdded > records;
}

/** What a zone carries whose policy the edit did not touch, or that has none. */
function contentOf(
  { policyId, side }: WantedZone,
  state: PublishedState,
  options: PlanOptions,
): ZoneBody {
  if (policyId !== null) {
    const body = bodyServed(state, policyId, side, options);
    if (body === null) throw new Error(`policy ${policyId} has no content on side ${side}`);
    return body;
  }
  // As a start makes it, so that the zone is the same after one.
  return nothing(side, options);
}

/** The zone of a device that has no policy yet. */
export function nothing(side: PolicySide, { renderings, defaults }: PlanOptions): ZoneBody {
  const ttl = defaults.minimum;
  return side === 'rpz'
    ? { kind: 'rpz', content: new Map(), rendering: renderings(ttl) }
    : { kind: 'ip', side, content: EMPTY_IP, ttl };
}

function changeOf(
  origin: string,
  before: ZoneSnapshot | undefined,
  after: ZoneSnapshot | undefined,
  step: BodyStep | null,
): ZoneChange {
  return {
    origin,
    accountId: (after ?? before)?.accountId ?? null,
    policyId: (after ?? before)?.policyId ?? null,
    deviceId: (after ?? before)?.deviceId ?? null,
    fromSerial: before?.serial ?? null,
    toSerial: after?.serial ?? null,
    recordsRemoved: step?.revision.recordsRemoved ?? before?.records ?? 0,
    recordsAdded: step?.revision.recordsAdded ?? after?.records ?? 0,
  };
}

function accountOf(id: AccountId, model: Model): Account {
  const account = model.accounts.get(id);
  if (account === undefined) throw new Error(`there is no account ${id}`);
  return account;
}
