import type { Device } from '../policy/model.ts';
import { BEHIND_REASONS, type BehindReason } from './behind-reason.ts';
import type { Convergence, ZoneConvergence } from './convergence.ts';

/** How far all devices have come, at one moment. */
export interface ConvergenceSummary {
  /** Devices and zones that they are to hold. */
  readonly pairs: number;
  readonly converged: number;
  /** Devices that are behind for too long, each under the reason of the zone that lags most. */
  readonly behind: ReadonlyMap<BehindReason, number>;
  /** Of each device that is behind, the zone that lags most. */
  readonly worst: readonly ZoneConvergence[];
  /** Those that lag most, up to the number that was asked for. */
  readonly shown: readonly ZoneConvergence[];
}

/** Before anybody has looked. Every reason is there, so that an alarm can be set on it. */
export const EMPTY_SUMMARY: ConvergenceSummary = {
  pairs: 0,
  converged: 0,
  behind: new Map(BEHIND_REASONS.map((reason) => [reason, 0])),
  worst: [],
  shown: [],
};

/**
 * Devices, and of devices and zones, looked at before others have their turn: about a millisecond.
 * Only a single secondary with very many zones is looked at for longer.
 */
const DEVICES_AT_ONCE = 50;
const PAIRS_AT_ONCE = 2_000;

/**
 * Looks at every device. `pause` lets everything else go on in between: with many devices it takes
 * longer than an answer may wait.
 */
export async function summariseConvergence(options: {
  readonly convergence: Pick<Convergence, 'expectedOf'>;
  readonly devices: Iterable<Device>;
  readonly shownMax: number;
  readonly pause: () => Promise<void>;
}): Promise<ConvergenceSummary> {
  const { convergence, devices, shownMax, pause } = options;
  const behind = new Map(EMPTY_SUMMARY.behind);
  const worst: ZoneConvergence[] = [];
  const shown = createLongestLags(shownMax);
  let pairs = 0;
  let converged = 0;
  let looked = 0;
  let pairsLooked = 0;
  for (const device of devices) {
    const zones = convergence.expectedOf(device);
    pairs += zones.length;
    let last: ZoneConvergence | undefined;
    for (const zone of zones) {
      if (zone.converged) converged += 1;
      shown.add(zone);
      if (zone.behind !== null && (last === undefined || byLag(zone, last) < 0)) last = zone;
    }
    if (last !== undefined) {
      worst.push(last);
      const { reason } = last.behind!;
      behind.set(reason, (behind.get(reason) ?? 0) + 1);
    }
    looked += 1;
    pairsLooked += zones.length;
    if (looked < DEVICES_AT_ONCE && pairsLooked < PAIRS_AT_ONCE) continue;
    looked = 0;
    pairsLooked = 0;
    await pause();
  }
  return { pairs, converged, behind, worst, shown: shown.list() };
}

/** Who lacks something longest comes first, then in the order of the devices. */
function byLag(a: ZoneConvergence, b: ZoneConvergence): number {
  const [sinceA, sinceB] = [a.lag.since ?? Number.MAX_VALUE, b.lag.since ?? Number.MAX_VALUE];
  return sinceA - sinceB || a.device.id - b.device.id || (a.origin < b.origin ? -1 : 1);
}

/** Keeps the longest lags of any number of them. */
function createLongestLags(max: number) {
  let kept: ZoneConvergence[] = [];
  const cut = (): void => {
    kept = kept.sort(byLag).slice(0, max);
  };
  return {
    add(zone: ZoneConvergence): void {
      kept.push(zone);
      if (kept.length >= 4 * max) cut();
    },
    list(): readonly ZoneConvergence[] {
      cut();
      return kept;
    },
  };
}
