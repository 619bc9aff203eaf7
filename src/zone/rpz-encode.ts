import type { Catalogue } from '../indicators/catalogue.ts';
import { type IdSet, readIds } from '../indicators/id-set.ts';
import { type ActionNumber, NO_ACTION } from '../policy/verdicts.ts';
import {
  type MessageNames,
  octetsToWrite,
  POINTER_OFFSET_MAX,
  pointerTo,
} from './message-names.ts';
import { belowAction, type RpzContent, type RpzState, selfAction } from './rpz-content.ts';
import type { RecordTail, RpzRendering } from './rpz-rendering.ts';

/** Where in a zone's rules an encoding stands: rules are ordered by state, then by id. */
export interface RpzCursor {
  readonly state: RpzState;
  readonly id: number;
}

export const RPZ_START: RpzCursor = { state: 0 as RpzState, id: 0 };

export function compareCursors(a: RpzCursor, b: RpzCursor): number {
  return a.state - b.state || a.id - b.id;
}

/** The offset where every message has the zone's name. */
const ORIGIN_OFFSET = 12;
/** `*` as a label. */
const STAR_LABEL = 0x012a;
/** The same and a pointer. */
const STAR_POINTER_OCTETS = 4;
const POINTER_OCTETS = 2;

export interface EncodedRules {
  /** Where the next octet goes. */
  readonly at: number;
  readonly records: number;
  /** The first rule that did not fit, or null when all up to the end are in. */
  readonly next: RpzCursor | null;
}

/** What stays the same while rules are written into one message. */
interface Page {
  readonly catalogue: Catalogue;
  /** The whole buffer. */
  readonly into: DataView;
  readonly messageStart: number;
  readonly names: MessageNames | null;
}

/**
 * Copies rules from `from` up to `to` into a message that begins at `messageStart`, as many as fit
 * below `limit` but at least one. Nothing is formatted and nothing allocated per rule: the owner
 * comes from the catalogue, the rest is the action's. With `names`, which must have begun with the
 * message, owners and targets end in pointers to what the message has already.
 */
export function encodeRules(options: {
  readonly catalogue: Catalogue;
  readonly content: RpzContent;
  readonly rendering: RpzRendering;
  readonly from: RpzCursor;
  readonly to: RpzCursor | null;
  readonly buffer: Uint8Array;
  readonly messageStart: number;
  readonly at: number;
  readonly limit: number;
  readonly names?: MessageNames;
}): EncodedRules {
  const { catalogue, content, rendering, from, to, buffer, messageStart, limit } = options;
  const into = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const page = { catalogue, into, messageStart, names: options.names ?? null };
  let at = options.at;
  let records = 0;
  for (const [state, ids] of content) {
    if (state < from.state) continue;
    if (to !== null && state > to.state) break;
    const firstId = state === from.state ? from.id : 0;
    const endId = to !== null && state === to.state ? to.id : Number.POSITIVE_INFINITY;
    const self = recordsOf(rendering, selfAction(state));
    const below = recordsOf(rendering, belowAction(state));
    const isFirst = records === 0;
    const written = encodeState(page, { ids, firstId, endId, self, below, at, limit, isFirst });
    at = written.at;
    records += written.rules * (self.tails.length + below.tails.length);
    if (written.nextId !== null) return { at, records, next: { state, id: written.nextId } };
  }
  return { at, records, next: null };
}

/** The records of one action, as they follow an owner. */
interface ActionRecords {
  readonly action: ActionNumber;
  readonly tails: readonly RecordTail[];
  readonly octets: number;
  /** Whether it is a CNAME to a name that is worth a pointer. */
  readonly hasTarget: boolean;
}

const NO_RECORDS: ActionRecords = { action: NO_ACTION, tails: [], octets: 0, hasTarget: false };

function recordsOf(rendering: RpzRendering, action: ActionNumber): ActionRecords {
  if (action === NO_ACTION) return NO_RECORDS;
  const { wideTails, tailOctets, hasTarget } = rendering.rendered(action);
  return { action, tails: wideTails, octets: tailOctets, hasTarget };
}

/** Ids read at a time: about as many rules as a message has. */
const batch = new Uint32Array(512);

function encodeState(
  page: Page,
  run: {
    readonly ids: IdSet;
    readonly firstId: number;
    readonly endId: number;
    readonly self: ActionRecords;
    readonly below: ActionRecords;
    readonly at: number;
    readonly limit: number;
    /** Whether the message has no rule yet. */
    readonly isFirst: boolean;
  },
): { readonly at: number; readonly rules: number; readonly nextId: number | null } {
  const { ids, endId, self, below, limit, isFirst } = run;
  const { catalogue } = page;
  const fixedOctets =
    self.octets +
    below.octets +
    (self.tails.length + below.tails.length) * POINTER_OCTETS +
    2 * STAR_POINTER_OCTETS;
  let at = run.at;
  let rules = 0;
  let firstId = run.firstId;
  for (;;) {
    const count = readIds(ids, firstId, batch);
    for (let index = 0; index < count; index++) {
      const id = batch[index];
      if (id >= endId) return { at, rules, nextId: null };
      const most = 2 * catalogue.ownerLength(id) + fixedOctets;
      if (at + most > limit && (rules > 0 || !isFirst)) return { at, rules, nextId: id };
      at = writeRule(page, at, id, self, below);
      rules++;
    }
    if (count < batch.length) return { at, rules, nextId: null };
    firstId = batch[count - 1] + 1;
  }
}

/** The records of the owner, then those of the wildcard below it; returns the offset behind them. */
function writeRule(
  page: Page,
  from: number,
  id: number,
  self: ActionRecords,
  below: ActionRecords,
): number {
  const { into, messageStart } = page;
  let at = from;
  let owner = 0;
  for (let index = 0; index < self.tails.length; index++) {
    if (owner === 0) {
      owner = at - messageStart;
      at = writeOwner(page, at, id);
    } else {
      at = writePointer(into, at, owner);
    }
    at = writeTail(page, at, self, index);
  }
  let star = 0;
  for (let index = 0; index < below.tails.length; index++) {
    if (star !== 0 && star <= POINTER_OFFSET_MAX) {
      at = writePointer(into, at, star);
    } else {
      star = at - messageStart;
      into.setUint16(at, STAR_LABEL);
      at =
        owner !== 0 && owner <= POINTER_OFFSET_MAX
          ? writePointer(into, at + 2, owner)
          : writeOwner(page, at + 2, id);
    }
    at = writeTail(page, at, below, index);
  }
  return at;
}

/** The owner's labels, as many as the message has not got yet, and a pointer to the rest. */
function writeOwner(page: Page, at: number, id: number): number {
  const { catalogue, into, messageStart, names } = page;
  const block = catalogue.ownerBlock(id);
  const offset = catalogue.ownerOffset(id);
  if (names === null) {
    const end = copyOwner(into, at, block, offset, catalogue.ownerLength(id));
    return writePointer(into, end, ORIGIN_OFFSET);
  }
  const placed = names.place(catalogue, id, at - messageStart);
  const end = copyOwner(into, at, block, offset, octetsToWrite(placed));
  return writePointer(into, end, pointerTo(placed) || ORIGIN_OFFSET);
}

function writeTail(
  { into, messageStart, names }: Page,
  at: number,
  { action, tails, hasTarget }: ActionRecords,
  index: number,
): number {
  const tail = tails[index];
  if (names === null || !hasTarget) return copyTail(into, at, tail);
  const target = names.target(action);
  if (target === 0) {
    names.noteTarget(action, at + TAIL_RDATA_OFFSET - messageStart);
    return copyTail(into, at, tail);
  }
  // Type, class and TTL as they are; RFC 3597 section 4 lets the target of a CNAME be a pointer.
  into.setInt32(at, tail.words[0], true);
  into.setInt32(at + 4, tail.words[1], true);
  into.setUint16(at + TAIL_LENGTH_OFFSET, POINTER_OCTETS);
  return writePointer(into, at + TAIL_RDATA_OFFSET, target);
}

const TAIL_LENGTH_OFFSET = 8;
const TAIL_RDATA_OFFSET = 10;

/**
 * Four octets at a time, here and below: half of the time that a loop over octets takes. What is
 * written too much behind an owner is overwritten by the tail that follows.
 */
function copyOwner(
  into: DataView,
  at: number,
  block: Uint8Array,
  offset: number,
  length: number,
): number {
  if (offset + length + 4 > block.length) {
    for (let index = 0; index < length; index++) into.setUint8(at + index, block[offset + index]);
    return at + length;
  }
  if (block !== viewedBlock) {
    viewedBlock = block;
    view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  }
  for (let index = 0; index < length; index += 4) {
    into.setInt32(at + index, view.getInt32(offset + index, true), true);
  }
  return at + length;
}

/** Owners lie in the order of their ids in few blocks, so the last one is nearly always the one. */
let viewedBlock: Uint8Array | null = null;
let view: DataView = new DataView(new ArrayBuffer(0));

function copyTail(into: DataView, at: number, { words, octets, lastWord }: RecordTail): number {
  for (let index = 0; index < words.length; index++) {
    into.setInt32(at + index * 4, words[index], true);
  }
  const end = at + octets;
  into.setInt32(end - 4, lastWord, true);
  return end;
}

/** RFC 1035 section 4.1.4. */
function writePointer(into: DataView, at: number, offset: number): number {
  into.setUint16(at, 0xc000 | offset);
  return at + POINTER_OCTETS;
}
