import type { FeedRun } from '../publish/feeds-port.ts';
import { type MemberNote, visitNotes } from '../publish/member-notes.ts';
import type { FeedSlot } from './feed-slot.ts';
import type { ContentCounts } from './gates.ts';
import { decodeHeld, type HeldContent } from './held-content.ts';
import { publishContent, type Standing } from './publish-content.ts';
import { type FeedRunSettings, operatorOf } from './run-feed.ts';

/** Publishes what a gate held, on somebody's word. Throws what the publisher throws; then it stays held. */
export async function releaseHeld(
  { publisher, clock }: Pick<FeedRunSettings, 'publisher' | 'clock'>,
  slot: Pick<FeedSlot, 'feed' | 'book' | 'state'>,
  bytes: Uint8Array,
  actor: string,
): Promise<{ readonly run: FeedRun; readonly standing: Standing; readonly held: HeldContent }> {
  const startedAt = clock();
  const { feed, book, state } = slot;
  const held = await decodeHeld(bytes);
  const { packed, withdrawn, incremental, run } = held;
  const notes: MemberNote[] = [];
  await visitNotes(held.notes, (note) => notes.push(note));
  const end = await publishContent(publisher, {
    feed,
    content: { packed, withdrawn, notes, incremental, counts: countsOf(run) },
    book,
    rowAt: state.rowAt,
    by: { actor, action: `feed.release ${feed.id}`, accountId: operatorOf(publisher) },
    gates: null,
    isCurrent: (now) => now !== undefined,
  });
  if (end.kind === 'held') throw new Error('a run without gates was held');
  const { added, removed, zones, standing } = end;
  const released: FeedRun = {
    ...run,
    startedAt,
    endedAt: clock(),
    actor,
    end: 'published',
    reasons: [],
    added,
    removed,
    zones,
  };
  return { run: released, standing, held };
}

function countsOf(run: FeedRun): ContentCounts {
  const { indicators, duplicates, rejected, exceptions, guarded, belowConfidence } = run;
  return { indicators, duplicates, rejected, leftOut: 0, exceptions, guarded, belowConfidence };
}
