import type { Catalogue } from '../indicators/catalogue.ts';
import { visitIds } from '../indicators/id-set.ts';
import { NO_ACTION } from '../policy/verdicts.ts';
import { belowAction, type RpzContent, type RpzState, selfAction } from './rpz-content.ts';
import type { RpzRendering } from './rpz-rendering.ts';

/** Where in a zone's rules an encoding stands: rules are ordered by state, then by id. */
export interface RpzCursor {
  readonly state: RpzState;
  readonly id: number;
}

export const RPZ_START: RpzCursor = { state: 0 as RpzState, id: 0 };

export function compareCursors(a: RpzCursor, b: RpzCursor): number {
  return a.state - b.state || a.id - b.id;
}

/** A compression pointer (RFC 1035 section 4.1.4) to offset 12, where every message has the zone's name. */
const POINTER_TO_ORIGIN = 0xc00c;
/** Pointers reach no further than this. */
const POINTER_OFFSET_MAX = 0x3fff;
/** `*` as a label, and a pointer. */
const STAR_POINTER_OCTETS = 4;
const POINTER_OCTETS = 2;

export interface EncodedRules {
  /** Where the next octet goes. */
  readonly at: number;
  readonly records: number;
  /** The first rule that did not fit, or null when all up to the end are in. */
  readonly next: RpzCursor | null;
}

/**
 * Copies rules from `from` up to `to` into a message that begins at `messageStart`, as many as fit
 * below `limit` but at least one. Nothing is formatted and nothing allocated per rule: the owner
 * comes from the catalogue, the rest is the action's.
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
}): EncodedRules {
  const { catalogue, content, rendering, from, to, buffer, messageStart, limit } = options;
  let at = options.at;
  let records = 0;
  let next: RpzCursor | null = null;

  for (const [state, ids] of content) {
    if (state < from.state) continue;
    if (to !== null && state > to.state) break;
    const self = selfAction(state);
    const below = belowAction(state);
    const selfTails = self === NO_ACTION ? NO_TAILS : rendering.rendered(self).tails;
    const belowTails = below === NO_ACTION ? NO_TAILS : rendering.rendered(below).tails;
    const perRule = selfTails.length + belowTails.length;
    const fixedOctets =
      octetsOf(selfTails) +
      octetsOf(belowTails) +
      perRule * POINTER_OCTETS +
      2 * STAR_POINTER_OCTETS;
    visitIds(
      ids,
      (id) => {
        const length = catalogue.ownerLength(id);
        if (at + 2 * length + fixedOctets > limit && records > 0) {
          next = { state, id };
          return false;
        }
        const block = catalogue.ownerBlock(id);
        const offset = catalogue.ownerOffset(id);
        let owner = -1;
        for (const tail of selfTails) {
          if (owner < 0) {
            owner = at - messageStart;
            at = copy(buffer, at, block, offset, length);
            at = pointer(buffer, at, POINTER_TO_ORIGIN);
          } else {
            at = pointer(buffer, at, 0xc000 | owner);
          }
          at = copy(buffer, at, tail, 0, tail.length);
        }
        let star = -1;
        for (const tail of belowTails) {
          if (star >= 0 && star <= POINTER_OFFSET_MAX) {
            at = pointer(buffer, at, 0xc000 | star);
          } else {
            star = at - messageStart;
            buffer[at++] = 1;
            buffer[at++] = 0x2a;
            if (owner >= 0 && owner <= POINTER_OFFSET_MAX) {
              at = pointer(buffer, at, 0xc000 | owner);
            } else {
              at = copy(buffer, at, block, offset, length);
              at = pointer(buffer, at, POINTER_TO_ORIGIN);
            }
          }
          at = copy(buffer, at, tail, 0, tail.length);
        }
        records += perRule;
        return true;
      },
      state === from.state ? from.id : 0,
      to !== null && state === to.state ? to.id : undefined,
    );
    if (next !== null) break;
  }
  return { at, records, next };
}

const NO_TAILS: readonly Uint8Array[] = [];

function octetsOf(tails: readonly Uint8Array[]): number {
  return tails.reduce((octets, tail) => octets + tail.length, 0);
}

function copy(
  into: Uint8Array,
  at: number,
  from: Uint8Array,
  offset: number,
  length: number,
): number {
  for (let index = 0; index < length; index++) into[at + index] = from[offset + index];
  return at + length;
}

function pointer(into: Uint8Array, at: number, value: number): number {
  into[at] = value >>> 8;
  into[at + 1] = value & 0xff;
  return at + POINTER_OCTETS;
}
