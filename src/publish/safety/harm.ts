import type { Catalogue } from '../../indicators/catalogue.ts';
import type { ContentStep } from './content-steps.ts';
import { type WatchedOwners, watchOwners } from './guarded-names.ts';
import { type GuardedRange, type GuardedRanges, guardRanges } from './guarded-ranges.ts';
import { findIpHarm } from './ip-harm.ts';
import { findRpzHarm } from './rpz-harm.ts';
import type { SafetySettings } from './warnings.ts';

/** What is blocked now that should not be, and was not before. */
export interface Harm {
  readonly names: readonly string[];
  readonly ranges: readonly GuardedRange[];
}

const NO_HARM: Harm = { names: [], ranges: [] };

/** What a step newly blocks of what is guarded. */
export function findHarm(catalogue: Catalogue, step: ContentStep, safety: SafetySettings): Harm {
  if (step.servedBefore) return NO_HARM;
  const { ranges, watched } = guardOf(catalogue, safety);
  const { body: after } = step.after;
  const before = step.before?.body ?? null;
  if (after.kind === 'rpz') {
    const { diff } = step;
    const moves = diff?.kind === 'rpz' ? diff.moves : null;
    const same = before?.kind === 'rpz' ? before : null;
    return findRpzHarm({ catalogue, watched, ranges, before: same, after, moves });
  }
  // What an IP policy allows harms nobody here, and a catalog zone blocks nothing.
  if (after.kind === 'catalog' || after.side === 'allow') return NO_HARM;
  const lists = step.diff?.kind === 'ip' ? step.diff.lists : null;
  const same = before?.kind === 'ip' ? before.content : null;
  return { names: [], ranges: findIpHarm({ ranges, before: same, after: after.content, lists }) };
}

interface Guard {
  readonly ranges: GuardedRanges;
  readonly watched: WatchedOwners;
}

/** Built once for a server: settings and catalogue last as long as the process. */
function guardOf(catalogue: Catalogue, safety: SafetySettings): Guard {
  const ofSettings = guards.get(safety) ?? new WeakMap<Catalogue, Guard>();
  guards.set(safety, ofSettings);
  const known = ofSettings.get(catalogue);
  if (known !== undefined) return known;
  const ranges = guardRanges(safety);
  const guard = { ranges, watched: watchOwners({ catalogue, safety, ranges }) };
  ofSettings.set(catalogue, guard);
  return guard;
}

const guards = new WeakMap<SafetySettings, WeakMap<Catalogue, Guard>>();
