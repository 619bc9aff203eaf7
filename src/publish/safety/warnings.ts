import { type Capacity, capacityOf, sizeFor } from '../../policy/device-profiles.ts';
import type { Device, DeviceId } from '../../policy/model.ts';
import { sizeOfZones } from '../policy-size.ts';
import type { PlannedChange } from '../publisher.ts';
import { type ContentStep, contentSteps } from './content-steps.ts';
import type { GuardedRange } from './guarded-ranges.ts';
import { findHarm } from './harm.ts';

/** What a change is measured against. Shares are parts of the records that a zone has before it. */
export interface SafetySettings {
  /** Names that are most harmful to block, lower case, in presentation form without final dot. */
  readonly neverBlockNames: readonly string[];
  /** Addresses and prefixes of the same kind. */
  readonly neverBlockPrefixes: readonly string[];
  /** Whether a registry gives out names below it: such a name is never to be blocked, nor is the root. */
  readonly isPublicSuffix: (name: string) => boolean;
  /** Prefixes of the own network, beside the private and reserved ones that are built in. */
  readonly ownPrefixes: readonly string[];
  /** Zones with fewer records are not measured by shares. */
  readonly recordsMin: number;
  readonly warnShrinkShare: number;
  readonly warnGrowShare: number;
  /** Above these a change is held; null never holds. */
  readonly holdShrinkShare: number | null;
  readonly holdGrowShare: number | null;
  /** Whether a change that blocks a never-block name, a private or an own address is held. */
  readonly holdNeverBlock: boolean;
}

export interface Warning {
  readonly code:
    | 'never-block'
    | 'private-address'
    | 'own-address'
    | 'shrinks'
    | 'grows'
    | 'over-capacity';
  readonly zone: string;
  /** What is unusual, as a sentence. */
  readonly text: string;
  readonly holds: boolean;
}

/** What is unusual in a change. Its cost follows what changes, so that every change can be looked at. */
export function findWarnings(planned: PlannedChange, safety: SafetySettings): Warning[] {
  const warnings: Warning[] = [];
  for (const step of contentSteps(planned)) {
    warnings.push(...harmWarnings(planned, step, safety), ...sizeWarnings(step, safety));
  }
  warnings.push(...reachedDevices(planned).flatMap(capacityWarning));
  return warnings;
}

function harmWarnings(
  { catalogue }: PlannedChange,
  step: ContentStep,
  safety: SafetySettings,
): Warning[] {
  const { names, ranges } = findHarm(catalogue, step, safety);
  const of = (code: GuardedRange['code']) =>
    ranges.filter((range) => range.code === code).map(({ text }) => text);
  const warn = (code: Warning['code'], what: readonly string[], limit: string): Warning[] => {
    if (what.length === 0) return [];
    const text = `${zonesText(step)} newly blocks ${listText(what)}: ${limit}.`;
    return [{ code, zone: step.origin, text, holds: safety.holdNeverBlock }];
  };
  return [
    ...warn(
      'never-block',
      [...names, ...of('never-block')],
      'what is on the never-block list is not blocked without need',
    ),
    ...warn(
      'private-address',
      of('private-address'),
      'private and reserved addresses are not blocked without need',
    ),
    ...warn('own-address', of('own-address'), 'changes.ownNetworks names it as your own'),
  ];
}

function sizeWarnings(step: ContentStep, safety: SafetySettings): Warning[] {
  const before = step.before?.records ?? 0;
  const after = step.after.records;
  // A zone that is new, or as good as empty, grows by any measure.
  if (before < Math.max(1, safety.recordsMin) || before === after) return [];
  const shrinks = after < before;
  const share = Math.abs(after - before) / before;
  const warnShare = shrinks ? safety.warnShrinkShare : safety.warnGrowShare;
  const holdShare = shrinks ? safety.holdShrinkShare : safety.holdGrowShare;
  const holds = holdShare !== null && share > holdShare;
  if (share <= warnShare && !holds) return [];
  const verb = shrinks ? 'shrinks' : 'grows';
  const limit = holds
    ? `changes above ${percent(holdShare)} are held`
    : `more than ${percent(warnShare)} is unusual`;
  const text = `${zonesText(step)} ${verb} by ${percent(share)}, from ${before} to ${after} records: ${limit}.`;
  return [{ code: verb, zone: step.origin, text, holds }];
}

/** A device, and what it pulls after the change. */
export interface ReachedDevice {
  readonly device: Device;
  /** The first of its zones that changed. */
  readonly origin: string;
  /** In the unit that its capacity is counted in. */
  readonly size: number;
  readonly capacity: Capacity;
  /** How far its size is above its capacity; 0 when it fits or nobody knows. */
  readonly over: number;
}

/** A device's own zones carry whatever it pulls, so that they tell every device that a change reaches. */
export function reachedDevices(planned: PlannedChange): readonly ReachedDevice[] {
  const { zones, model } = planned.after;
  const reached = new Map<DeviceId, ReachedDevice>();
  for (const { deviceId, origin } of planned.changes) {
    const device = deviceId === null ? undefined : model.devices.get(deviceId);
    if (device === undefined || reached.has(device.id)) continue;
    // Of an IP pair only one zone may have changed; the device has to hold both.
    const own = [origin, otherOfPair(origin)].flatMap((name) => zones.get(name) ?? []);
    const capacity = capacityOf(device);
    const size = sizeFor(capacity, sizeOfZones(own));
    const over = Math.max(0, size - (capacity.recordsMax ?? size));
    reached.set(device.id, { device, origin, size, capacity, over });
  }
  return [...reached.values()];
}

function otherOfPair(origin: string): string {
  if (origin.startsWith('block.')) return origin.replace('block.', 'allow.');
  return origin.startsWith('allow.') ? origin.replace('allow.', 'block.') : '';
}

function capacityWarning({ device, origin, size, capacity, over }: ReachedDevice): Warning[] {
  if (over === 0) return [];
  const { recordsMax, counts, per } = capacity;
  const each = per === 'list' && counts !== 'records' ? ' in a list' : '';
  const text = `${origin} has ${size} ${counts}${each}, ${over} above the ${recordsMax} that device "${device.name}" takes.`;
  return [{ code: 'over-capacity', zone: origin, text, holds: false }];
}

const SHOWN_MAX = 5;

function listText(things: readonly string[]): string {
  const shown = things.slice(0, SHOWN_MAX).join(', ');
  return things.length > SHOWN_MAX ? `${shown} and ${things.length - SHOWN_MAX} more` : shown;
}

function zonesText({ origin, zones }: ContentStep): string {
  if (zones === 1) return origin;
  return `${origin} (and ${zones - 1} ${zones === 2 ? 'zone' : 'zones'} with the same content)`;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
