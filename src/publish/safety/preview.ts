import type { PlannedChange } from '../publisher.ts';
import { diffOfChange } from './content-steps.ts';
import { createSampler, NO_SAMPLES, type Sampler } from './samples.ts';
import { findWarnings, reachedDevices, type SafetySettings, type Warning } from './warnings.ts';

/** What a change would do: numbers, samples and what is unusual. */
export interface Preview {
  readonly zones: readonly {
    readonly origin: string;
    readonly policyId: number | null;
    readonly deviceId: number | null;
    readonly fromSerial: number | null;
    readonly recordsBefore: number;
    readonly recordsAfter: number;
    readonly recordsRemoved: number;
    readonly recordsAdded: number;
    /** The first of them, as lines of a zone file. */
    readonly removed: readonly string[];
    readonly added: readonly string[];
  }[];
  readonly devices: readonly {
    readonly id: number;
    readonly name: string;
    readonly records: number;
    readonly recordsMax: number | null;
    readonly over: number;
  }[];
  /** All of them, those that hold the change first. */
  readonly warnings: readonly Warning[];
}

/** Zones that are shown with samples; the others with their numbers alone. */
const SAMPLED_ZONES_MAX = 200;

export function previewChange(planned: PlannedChange, safety: SafetySettings): Preview {
  return {
    zones: previewZones(planned, createSampler(planned.catalogue)),
    devices: reachedDevices(planned).map(({ device, size, capacity, over }) => ({
      id: device.id,
      name: device.name,
      records: size,
      recordsMax: capacity.recordsMax,
      over,
    })),
    warnings: findWarnings(planned, safety).toSorted((a, b) => +b.holds - +a.holds),
  };
}

function previewZones(
  { before, after, changes }: PlannedChange,
  sample: Sampler,
): Preview['zones'] {
  return changes.map((change, index) => {
    const { origin, policyId, deviceId, fromSerial, recordsRemoved, recordsAdded } = change;
    const old = before.zones.get(origin);
    const now = after.zones.get(origin);
    const diff = now === undefined ? null : diffOfChange(change, now);
    const { removed, added } = index < SAMPLED_ZONES_MAX ? sample(old, now, diff) : NO_SAMPLES;
    return {
      origin,
      policyId,
      deviceId,
      fromSerial,
      recordsBefore: old?.records ?? 0,
      recordsAfter: now?.records ?? 0,
      recordsRemoved,
      recordsAdded,
      removed,
      added,
    };
  });
}
