import type { Catalogue } from '../../indicators/catalogue.ts';
import { visitIds } from '../../indicators/id-set.ts';
import { diffBodies, emptyBody, hasSameForm } from '../../zone/diff-bodies.ts';
import { removedPlainRecords } from '../../zone/plain-records.ts';
import type { PositionedRecord } from '../../zone/records.ts';
import {
  invertRpzDiff,
  NO_STATE,
  type RpzContent,
  type RpzDiff,
  type RpzMove,
} from '../../zone/rpz-content.ts';
import { removedRecords } from '../../zone/rpz-records.ts';
import type { Revision, ZoneBody, ZoneSnapshot } from '../../zone/snapshot.ts';
import { sampleLines } from '../../zone/zone-text.ts';

/** The first records that go and that come, as lines of a zone file; those of the apex are left out. */
export interface Samples {
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

export const NO_SAMPLES: Samples = { removed: [], added: [] };

/** Lines of each kind. */
const LINES_MAX = 20;

/** Samples of what changes in a zone; no more is worked out than is shown. */
export type Sampler = (
  before: ZoneSnapshot | undefined,
  after: ZoneSnapshot | undefined,
  diff: Revision['diff'] | null,
) => Samples;

export function createSampler(catalogue: Catalogue): Sampler {
  const movesBetween = createMovesBetween();
  return (before, after, diff) => {
    const zone = after ?? before;
    if (zone === undefined) return NO_SAMPLES;
    const old = before?.body ?? emptyBody(zone.body);
    const now = after?.body ?? emptyBody(zone.body);
    const { origin } = zone.settings;
    const lines = (records: Iterable<PositionedRecord>) => sampleLines(records, null, LINES_MAX);
    if (old.kind === 'rpz' && now.kind === 'rpz') {
      const isWhole = before === undefined || after === undefined || !hasSameForm(old, now);
      const known = diff?.kind === 'rpz' ? diff.moves : null;
      const [gone, come] = isWhole
        ? [leaving(old.content), leaving(now.content)]
        : bothWays(known ?? movesBetween(old, now));
      return {
        removed: lines(removedRecords(gone, catalogue, old.rendering)),
        added: lines(removedRecords(come, catalogue, now.rendering)),
      };
    }
    if (old.kind === 'rpz' || now.kind === 'rpz') return NO_SAMPLES;
    const [nowKept, oldKept] = hasSameForm(old, now)
      ? [now, old]
      : [emptyBody(now), emptyBody(old)];
    if (nowKept.kind === 'rpz' || oldKept.kind === 'rpz') return NO_SAMPLES;
    return {
      removed: lines(removedPlainRecords(old, nowKept, origin)),
      added: lines(removedPlainRecords(now, oldKept, origin)),
    };
  };
}

function bothWays(moves: RpzDiff): readonly [RpzDiff, RpzDiff] {
  return [moves, invertRpzDiff(moves)];
}

/** The first owners of a content, as if they went. */
function leaving(content: RpzContent): RpzDiff {
  const moves: RpzMove[] = [];
  for (const [from, owners] of content) {
    const ids: number[] = [];
    visitIds(owners, (id) => ids.push(id) < LINES_MAX);
    moves.push({ from, to: NO_STATE, ids: Uint32Array.from(ids) });
  }
  return moves;
}

/** Zones that go from one content to another together are compared once. */
function createMovesBetween() {
  const known = new Map<object, Map<object, RpzDiff>>();
  return (before: ZoneBody, after: ZoneBody): RpzDiff => {
    const ofBefore = known.get(before.content) ?? new Map<object, RpzDiff>();
    known.set(before.content, ofBefore);
    const moves = ofBefore.get(after.content);
    if (moves !== undefined) return moves;
    const diff = diffBodies(before, after);
    const fresh = diff?.kind === 'rpz' ? diff.moves : [];
    ofBefore.set(after.content, fresh);
    return fresh;
  };
}
