import { contentVersion } from '../zone/content-version.ts';
import { NO_STATE } from '../zone/rpz-content.ts';
import { compareCursors, RPZ_START, type RpzCursor } from '../zone/rpz-encode.ts';
import type { Revision, ZoneBody, ZoneSnapshot } from '../zone/snapshot.ts';
import type { BudgetHolder, OctetBudget } from './octet-budget.ts';

/**
 * A stretch of a zone's rules in the form in which a message carries them. Compression pointers
 * inside it hold only where it starts `startsAt` octets into a message.
 */
export interface Frame {
  readonly from: RpzCursor;
  /** Null until it is asked for, and when something in its range has changed. */
  octets: Uint8Array | null;
  records: number;
  startsAt: number;
  next: Frame | null;
}

/** The frames of one content, for all zones that carry it and whose names have the same length. */
export interface FrameList {
  readonly key: string;
  readonly body: RpzBody;
  /** Of the content (zone/content-version.ts). */
  readonly version: number;
  readonly first: Frame;
  /** Octets held by its frames. */
  held: number;
}

type RpzBody = Extract<ZoneBody, { readonly kind: 'rpz' }>;

/** Frames are cut anew when they are emptier than this on average. */
const FILL_MIN_OCTETS = 6 * 1024;
const FRAMES_MIN = 16;

/** Finished stretches of zones that are transferred again and again, within a budget of octets. */
export interface FrameCache {
  framesOf(snapshot: ZoneSnapshot): FrameList;
  /** Keeps what was encoded for a frame of the list, if the budget allows; else the frame is bare. */
  keep(
    list: FrameList,
    frame: Frame,
    encoded: Pick<Frame, 'octets' | 'records' | 'startsAt'>,
  ): void;
}

/** The list of one key at its newest content. */
interface Shelf extends BudgetHolder {
  list: FrameList;
}

export function createFrameCache(budget: OctetBudget): FrameCache {
  /** By policy and length of the origin. */
  const shelves = new Map<string, Shelf>();

  const shelve = (list: FrameList): Shelf => {
    const shelf: Shelf = { list, giveUp: () => shelves.delete(list.key) };
    shelves.set(list.key, shelf);
    return shelf;
  };

  return {
    framesOf(snapshot) {
      const key = listKey(snapshot);
      const known = shelves.get(key);
      const list =
        known !== undefined && isOf(known.list, snapshot)
          ? known.list
          : deriveList(key, known?.list, snapshot);
      const shelf = known ?? shelve(list);
      shelf.list = list;
      budget.use(shelf, list.held);
      return list;
    },
    keep(list, frame, encoded) {
      const shelf = shelves.get(list.key);
      // What the frame held may reach into what now is a frame of its own, so it goes in any case.
      list.held -= frame.octets?.length ?? 0;
      frame.octets = null;
      // A transfer of an older snapshot goes on with frames that the cache no longer has.
      if (shelf?.list !== list) return;
      budget.use(shelf, list.held);
      const held = list.held + (encoded.octets?.length ?? 0);
      if (!budget.grow(shelf, held)) return;
      list.held = held;
      frame.octets = encoded.octets;
      frame.records = encoded.records;
      frame.startsAt = encoded.startsAt;
    },
  };
}

/** In a message the records begin behind the question, so pointers into them depend on its length. */
function listKey({ policyId, settings }: ZoneSnapshot): string {
  return `${policyId ?? 'none'} ${settings.origin.length}`;
}

function isOf({ version, body: held }: FrameList, { body }: ZoneSnapshot): boolean {
  return version === contentVersion(body) && held.rendering === rpzBody(body).rendering;
}

/** The list for a snapshot: from that of an older content where history tells what differs, else a new one. */
function deriveList(key: string, known: FrameList | undefined, snapshot: ZoneSnapshot): FrameList {
  const body = rpzBody(snapshot.body);
  const version = contentVersion(body);
  const revisions =
    known === undefined || known.body.rendering !== body.rendering
      ? null
      : stepsFrom(known.version, snapshot.revisions);
  if (known === undefined || revisions === null || isSparse(known)) {
    return { key, body, version, first: emptyFrame(RPZ_START), held: 0 };
  }
  const changed = changedCursors(revisions);
  let at = 0;
  let held = 0;
  let first: Frame | null = null;
  let last: Frame | null = null;
  for (let frame: Frame | null = known.first; frame !== null; frame = frame.next) {
    const end: RpzCursor | undefined = frame.next?.from;
    let isStale = false;
    for (; at < changed.length && (!end || compareCursors(changed[at], end) < 0); at++)
      isStale = true;
    const copy: Frame = isStale ? emptyFrame(frame.from) : { ...frame, next: null };
    held += copy.octets?.length ?? 0;
    if (last === null) first = copy;
    else last.next = copy;
    last = copy;
  }
  return { key, body, version, first: first ?? emptyFrame(RPZ_START), held };
}

function rpzBody(body: ZoneBody): RpzBody {
  if (body.kind !== 'rpz') throw new Error('only RPZ zones are kept as frames');
  return body;
}

/** The steps that lead from a content to the present one, or null when they are not known. */
function stepsFrom(version: number, revisions: readonly Revision[]): readonly Revision[] | null {
  const first = revisions.findIndex(({ fromContent }) => fromContent === version);
  return first < 0 ? null : revisions.slice(first);
}

function changedCursors(revisions: readonly Revision[]): RpzCursor[] {
  const cursors: RpzCursor[] = [];
  for (const { diff } of revisions) {
    if (diff.kind !== 'rpz') continue;
    for (const { from, to, ids } of diff.moves) {
      for (const id of ids) {
        if (from !== NO_STATE) cursors.push({ state: from, id });
        if (to !== NO_STATE) cursors.push({ state: to, id });
      }
    }
  }
  return cursors.sort(compareCursors);
}

function isSparse(list: FrameList): boolean {
  let frames = 0;
  for (let frame: Frame | null = list.first; frame !== null; frame = frame.next) frames++;
  return frames > FRAMES_MIN && list.held / frames < FILL_MIN_OCTETS;
}

export function emptyFrame(from: RpzCursor): Frame {
  return { from, octets: null, records: 0, startsAt: 0, next: null };
}
