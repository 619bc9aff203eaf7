import type { Catalogue } from '../indicators/catalogue.ts';
import { formatIndicator } from '../indicators/format-indicator.ts';
import { hasId } from '../indicators/id-set.ts';
import { FORM_OF_KIND, INDICATOR_KINDS, type PackedIndicators } from '../indicators/indicator.ts';
import { type MemberSets, memberCount } from '../policy/member-sets.ts';
import { ModelError } from '../policy/model-error.ts';
import type { HeldFeedChange } from '../publish/feeds-port.ts';
import { listMembers } from '../publish/list-members.ts';
import type { FeedSlot } from './feed-slot.ts';
import type { HeldContent } from './held-content.ts';
import { lookupInSlices } from './lookup-in-slices.ts';
import { intersectMembers, subtractMembers } from './member-algebra.ts';
import { nextMembers } from './next-members.ts';
import { ttlMsOf } from './publish-content.ts';
import { tellingOf } from './telling.ts';

/** Indicators that are shown of each side. */
const SHOWN_MAX = 100;

/** What would change if a held content were released now. Nothing gets an id by that. */
export async function describeHeld(options: {
  readonly catalogue: Catalogue;
  readonly slot: Pick<FeedSlot, 'feed' | 'book'>;
  readonly held: HeldContent;
  readonly present: MemberSets;
  readonly now: number;
}): Promise<HeldFeedChange> {
  const { catalogue, slot, held, present, now } = options;
  const addedShown: string[] = [];
  const members = await lookupInSlices(catalogue, held.packed, (slice, found) => {
    if (addedShown.length >= SHOWN_MAX) return;
    if (memberCount(intersectMembers(found, present)) === slice.count) return;
    showAdded(catalogue, slice, present, addedShown);
  });
  const withdrawn = await lookupInSlices(catalogue, held.withdrawn);
  const telling = tellingOf(slot.feed.source, held.incremental);
  const told = { members, withdrawn, telling };
  const next = nextMembers({ present, told, book: slot.book, ttlMs: ttlMsOf(slot.feed), now });
  const gone = subtractMembers(present, next.members);
  return {
    run: held.run,
    // What nobody ever held has no id and comes besides.
    added: next.added + held.packed.count - memberCount(members),
    removed: memberCount(gone),
    addedShown,
    removedShown: listMembers(catalogue, gone, 0, SHOWN_MAX),
  };
}

/** Those of a slice that are no members, as text, until enough are shown. */
function showAdded(
  catalogue: Catalogue,
  slice: PackedIndicators,
  present: MemberSets,
  shown: string[],
): void {
  let start = 0;
  for (let index = 0; index < slice.count && shown.length < SHOWN_MAX; index++) {
    const end = slice.ends[index]!;
    const kind = INDICATOR_KINDS[slice.kinds[index]!]!;
    const key = slice.keys.subarray(start, end);
    const one = {
      count: 1,
      kinds: slice.kinds.subarray(index, index + 1),
      ends: Uint32Array.of(key.length),
      keys: key,
    };
    const form = FORM_OF_KIND[kind];
    const [id] = catalogue.lookup(one)[form];
    if (id === undefined || !hasId(present[form], id)) shown.push(formatIndicator(kind, key));
    start = end;
  }
}

/** The refusal where a person decides about what is not there. */
export function nothingHeld(feedId: number): ModelError {
  const rule = 'No run of this feed waits for a decision.';
  return new ModelError('nothing-held', { field: 'feed id', value: feedId, rule });
}
