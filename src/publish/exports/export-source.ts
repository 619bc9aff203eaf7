import { createHash } from 'node:crypto';
import { formatName } from '../../dns/name.ts';
import { POLICY_TYPE_OF_DEVICE } from '../../policy/device-type.ts';
import type { Member } from '../../policy/members.ts';
import type { Device, Policy, PolicyType } from '../../policy/model.ts';
import { ModelError } from '../../policy/model-error.ts';
import type { CompiledPolicy } from '../../zone/policy-zones.ts';
import { sideOf, type ZoneSide, type ZoneSnapshot } from '../../zone/snapshot.ts';
import type { PublishedState } from '../state.ts';

/**
 * What exports are made of: the content of one policy at one moment, under the names of its own
 * zones or those of a device. A state never changes, so an export may take as long as its reader.
 */
export interface ExportSource {
  readonly type: PolicyType;
  /** Null for a device that no policy is assigned to: all its exports are empty. */
  readonly policy: Policy | null;
  readonly compiled: CompiledPolicy | null;
  readonly zones: ReadonlyMap<ZoneSide, ZoneSnapshot>;
}

export function sourceOfPolicy(state: PublishedState, policy: Policy): ExportSource {
  return {
    type: policy.type,
    policy,
    compiled: state.compiled.get(policy.id) ?? null,
    zones: zonesWhere(
      state,
      (zone) => zone.policyId === policy.id && zone.deviceId === null && !zone.former,
    ),
  };
}

export function sourceOfDevice(state: PublishedState, device: Device): ExportSource {
  const type = POLICY_TYPE_OF_DEVICE[device.type];
  if (type === null) {
    const rule = `A device of type ${device.type} has the zones of all policies, and no export of its own.`;
    throw new ModelError('export-type', { field: 'device type', value: device.type, rule });
  }
  const policy = device.policyId === null ? null : state.model.policies.get(device.policyId)!;
  return {
    type,
    policy,
    compiled: policy === null ? null : (state.compiled.get(policy.id) ?? null),
    zones: zonesWhere(state, (zone) => zone.deviceId === device.id),
  };
}

/** The zone of one side; a policy that has none of that side is refused as one of the wrong type. */
export function zoneOfSource(source: ExportSource, side: ZoneSide, what: string): ZoneSnapshot {
  const wanted: PolicyType = side === 'rpz' ? 'dns' : 'ip';
  if (source.type !== wanted) {
    const rule = `Only ${wanted.toUpperCase()} policies have ${what}.`;
    throw new ModelError('export-type', { field: 'policy type', value: source.type, rule });
  }
  const zone = source.zones.get(side);
  if (zone === undefined) throw new Error(`a policy of type ${source.type} has no ${side} zone`);
  return zone;
}

/** The origin without its final dot: for names of files and messages. */
export function zoneNameOf(zone: ZoneSnapshot): string {
  return formatName(zone.settings.origin).slice(0, -1);
}

/** Members that block, the deciding one first. */
export function blockingMembers({ compiled }: ExportSource): readonly Member[] {
  return (compiled?.members ?? []).filter(({ action }) => action.kind !== 'allow');
}

/**
 * Raised when the form of an export changes: the same zone then has another text, and who kept the
 * old one must not be told that it is current.
 */
const EXPORT_FORM = 1;

/** A text that is equal exactly for equal content, as far as these parts decide it. */
export function validatorOf(...parts: readonly unknown[]): string {
  const text = JSON.stringify([EXPORT_FORM, ...parts]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** What decides the content of a zone: a serial never stands for two contents of one origin. */
export function zoneVersion(zone: ZoneSnapshot): readonly [string, number] {
  return [zoneNameOf(zone), zone.serial];
}

function zonesWhere(
  state: PublishedState,
  holds: (zone: ZoneSnapshot) => boolean,
): ReadonlyMap<ZoneSide, ZoneSnapshot> {
  const found = state.zones.values().filter(holds);
  return new Map(found.map((zone) => [sideOf(zone.body), zone]));
}
