import type { Serial } from '../dns/serial.ts';
import { applyIpDiff, composeIpDiffs, type IpDiff, invertIpDiff } from './ip-content.ts';
import { applyRpzDiff, composeRpzDiffs, invertRpzDiff, type RpzDiff } from './rpz-content.ts';
import { type Revision, revisionsSince, type ZoneBody, type ZoneSnapshot } from './snapshot.ts';

/**
 * What a zone held at a serial that its history still reaches back to, or null. It goes back step by
 * step, which costs what changed in sets of ids, however much that was.
 */
export function bodyAt(snapshot: ZoneSnapshot, serial: Serial): ZoneBody | null {
  if (serial === snapshot.serial) return snapshot.body;
  const revisions = revisionsSince(snapshot, serial);
  return revisions?.reduceRight<ZoneBody>(bodyBefore, snapshot.body) ?? null;
}

function bodyBefore(body: ZoneBody, { diff }: Revision): ZoneBody {
  if (diff.kind === 'rpz' && body.kind === 'rpz') {
    return { ...body, content: applyRpzDiff(body.content, invertRpzDiff(diff.moves)) };
  }
  if (diff.kind === 'ip' && body.kind === 'ip') {
    return { ...body, content: applyIpDiff(body.content, invertIpDiff(diff.lists)) };
  }
  throw new Error(`the history of a zone of kind ${body.kind} has a difference of ${diff.kind}`);
}

/** The net difference from a retained serial to the present, or null when history does not reach back to it. */
export function diffSince(snapshot: ZoneSnapshot, serial: Serial): Revision['diff'] | null {
  const revisions = revisionsSince(snapshot, serial);
  if (revisions === null) return null;
  if (snapshot.body.kind === 'rpz') {
    const steps: RpzDiff[] = revisions.flatMap(({ diff }) =>
      diff.kind === 'rpz' ? [diff.moves] : [],
    );
    return { kind: 'rpz', moves: composeRpzDiffs(steps) };
  }
  const steps: IpDiff[] = revisions.flatMap(({ diff }) => (diff.kind === 'ip' ? [diff.lists] : []));
  return { kind: 'ip', lists: composeIpDiffs(steps) };
}
