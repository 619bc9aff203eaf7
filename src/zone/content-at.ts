import type { Serial } from '../dns/serial.ts';
import {
  applyCatalogDiff,
  type CatalogDiff,
  composeCatalogDiffs,
  invertCatalogDiff,
} from './catalog-content.ts';
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
  if (diff.kind === 'catalog' && body.kind === 'catalog') {
    return { ...body, content: applyCatalogDiff(body.content, invertCatalogDiff(diff.members)) };
  }
  throw new Error(`the history of a zone of kind ${body.kind} has a difference of ${diff.kind}`);
}

/** Rdata of the ZONEMD that a zone had at a serial which its history still reaches back to; null where it had none. */
export function digestAt(snapshot: ZoneSnapshot, serial: Serial): Uint8Array | null {
  if (serial === snapshot.serial) return snapshot.digest;
  return revisionsSince(snapshot, serial)?.[0]?.fromDigest ?? null;
}

/** The net difference from a retained serial to the present, or null when history does not reach back to it. */
export function diffSince(snapshot: ZoneSnapshot, serial: Serial): Revision['diff'] | null {
  const revisions = revisionsSince(snapshot, serial);
  return revisions === null ? null : netDiff(snapshot.body.kind, revisions);
}

/** The net effect of one step or more that follow one another, in a zone whose body is of this kind. */
export function netDiff(
  kind: ZoneBody['kind'],
  revisions: readonly Pick<Revision, 'diff'>[],
): Revision['diff'] {
  if (kind === 'rpz') {
    const steps = revisions.flatMap(({ diff }): RpzDiff[] =>
      diff.kind === 'rpz' ? [diff.moves] : [],
    );
    return { kind, moves: composeRpzDiffs(steps) };
  }
  if (kind === 'ip') {
    const steps = revisions.flatMap(({ diff }): IpDiff[] =>
      diff.kind === 'ip' ? [diff.lists] : [],
    );
    return { kind, lists: composeIpDiffs(steps) };
  }
  const steps = revisions.flatMap(({ diff }): CatalogDiff[] =>
    diff.kind === 'catalog' ? [diff.members] : [],
  );
  return { kind, members: composeCatalogDiffs(steps) };
}
