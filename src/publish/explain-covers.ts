import type { Catalogue } from '../indicators/catalogue.ts';
import { formatIndicator } from '../indicators/format-indicator.ts';
import { hasId } from '../indicators/id-set.ts';
import {
  type Cover,
  type CoveringOwner,
  type CoverQuery,
  coveringOwners,
  findCovers,
} from '../policy/explain.ts';
import type { Member } from '../policy/members.ts';
import type { Model } from '../policy/model.ts';
import { entryOfIndicator } from './explain-entry.ts';
import { isMemberAt, type MemberTrace, seenOfTrace, traceMembers } from './member-history.ts';
import { findNote, type MemberNote } from './member-notes.ts';
import type { Explanation, Publisher } from './publisher.ts';

/** A cover with what the history of its target or list tells. */
export interface DatedCover extends Cover {
  /** Whether the target or list held it at the moment that is asked for. */
  readonly heldThen: boolean;
  readonly heldNow: boolean;
  /** Unix milliseconds. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** What the source of a target says of it, while the target holds it; null when it says nothing. */
  readonly note: MemberNote | null;
}

/**
 * Every indicator of the members that covers a query now, or did at a moment (Unix milliseconds),
 * the stronger first. Without a moment, now is meant.
 */
export async function findDatedCovers(options: {
  readonly catalogue: Catalogue;
  readonly model: Model;
  readonly members: readonly Member[];
  readonly query: CoverQuery;
  readonly moment: number | null;
  readonly memberHistory: Publisher['memberHistory'];
  readonly memberNotes: Publisher['memberNotes'];
}): Promise<DatedCover[]> {
  const { catalogue, members, query, moment } = options;
  const owners = coveringOwners(catalogue, query);
  const traces = await traceOwners(options, owners);
  const traceOf = (member: Member, owner: CoveringOwner): MemberTrace | undefined =>
    traces.get(member)?.get(ownerKey(owner));
  const heldAtMoment = (member: Member, owner: CoveringOwner): boolean => {
    if (moment === null) return holdsNow(member, owner);
    const trace = traceOf(member, owner);
    return trace !== undefined && isMemberAt(trace, moment);
  };
  const covers = findCovers(
    catalogue,
    members,
    query,
    (member, owner) => holdsNow(member, owner) || heldAtMoment(member, owner),
  );
  const noteOf = createNoteReader(options.memberNotes);
  const dated = covers.map(async (cover) => {
    const seen = seenOfTrace(traceOf(cover.member, cover)!);
    if (seen === null) throw new Error(`indicator ${cover.id} covers and was never seen`);
    const { member } = cover;
    const held = { heldThen: heldAtMoment(member, cover), heldNow: holdsNow(member, cover) };
    return { ...cover, ...seen, ...held, note: held.heldNow ? await noteOf(cover) : null };
  });
  return Promise.all(dated);
}

/** Reads the notes of each target once. */
function createNoteReader(
  memberNotes: Publisher['memberNotes'],
): (cover: Cover) => Promise<MemberNote | null> {
  const read = new Map<number, ReturnType<Publisher['memberNotes']>>();
  return async ({ member: { source }, indicator }) => {
    if (source.kind !== 'target') return null;
    const known = read.get(source.id) ?? memberNotes({ kind: 'target', id: source.id });
    read.set(source.id, known);
    const bytes = await known;
    return bytes === null ? null : findNote(bytes, formatIndicator(indicator.kind, indicator.key));
  };
}

/** The cover in words: what an analyst needs to find where it comes from. */
export function describeCover(
  cover: DatedCover,
  model: Model,
  decides: boolean,
): Explanation['covers'][number] {
  const { indicator, member, firstSeen, lastSeen, heldThen, heldNow, note } = cover;
  const list = member.source.kind === 'list' ? model.lists.get(member.source.id) : undefined;
  const entry = list !== undefined && heldNow ? entryOfIndicator(list, indicator) : null;
  return {
    indicator: formatIndicator(indicator.kind, indicator.key),
    kind: indicator.kind,
    source: member.source,
    comment: entry?.comment ?? (note?.comment || null),
    expiresAt: entry?.expiresAt ?? note?.expiresAt ?? null,
    viaBundles: member.viaBundles.map((id) => model.bundles.get(id)?.name ?? String(id)),
    tier: member.tier,
    severity: member.severity,
    action: member.action,
    firstSeen,
    lastSeen,
    heldThen,
    heldNow,
    decides,
  };
}

function holdsNow({ sets }: Member, { id, form }: CoveringOwner): boolean {
  return hasId(sets[form], id);
}

function ownerKey({ id, form }: CoveringOwner): string {
  return `${form} ${id}`;
}

type Traces = ReadonlyMap<Member, ReadonlyMap<string, MemberTrace>>;

/**
 * Follows the owners through the histories. Only what covers now needs one, unless the past is asked
 * for: then everything that some member held may have covered.
 */
async function traceOwners(
  options: Parameters<typeof findDatedCovers>[0],
  owners: readonly CoveringOwner[],
): Promise<Traces> {
  const { model, members, moment, memberHistory } = options;
  const traces = new Map<Member, ReadonlyMap<string, MemberTrace>>();
  if (owners.length === 0) return traces;
  for (const member of members) {
    const wanted = moment === null ? owners.filter((owner) => holdsNow(member, owner)) : owners;
    if (wanted.length === 0) continue;
    const { kind, id } = member.source;
    const holder = kind === 'target' ? model.targets.get(id) : model.lists.get(id);
    if (holder === undefined) throw new Error(`${kind} ${id} is a member and does not exist`);
    const traced = traceMembers(await memberHistory({ kind, id }), holder, wanted);
    traces.set(member, new Map(wanted.map((owner, index) => [ownerKey(owner), traced[index]!])));
  }
  return traces;
}
