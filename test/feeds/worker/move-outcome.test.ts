import { describe, expect, it } from 'vitest';
import type { FeedOutcome } from '../../../src/feeds/worker/feed-job.ts';
import { moveOutcome } from '../../../src/feeds/worker/move-outcome.ts';
import type { PackedIndicators } from '../../../src/indicators/indicator.ts';
import { NO_VALIDATORS } from './job-of.ts';

const EMPTY: PackedIndicators = {
  count: 0,
  kinds: new Uint8Array(0),
  ends: new Uint32Array(0),
  keys: new Uint8Array(0),
};

const outcomeOf = (packed: PackedIndicators): FeedOutcome => ({
  kind: 'content',
  validators: NO_VALIDATORS,
  octets: 1,
  ms: 1,
  incremental: false,
  content: {
    packed,
    withdrawn: EMPTY,
    detected: 'lines',
    unreadable: null,
    lines: 1,
    duplicates: 0,
    rejected: 0,
    rejectedByReason: {},
    rejections: [],
    leftOut: 0,
    leftOutByReason: {},
    exceptions: 0,
    guarded: 0,
    guardedShown: [],
    belowConfidence: 0,
    notes: [],
    notesLeftOut: 0,
  },
});

const journey = (outcome: FeedOutcome) => {
  const { value, transfer } = moveOutcome(outcome);
  const arrived = structuredClone(value, { transfer });
  if (arrived.kind !== 'content') throw new Error(arrived.kind);
  return arrived.content.packed;
};

describe('an outcome that moves to another thread', () => {
  it('takes the buffers of its indicators along instead of a copy', () => {
    const packed = {
      count: 1,
      kinds: Uint8Array.of(0),
      ends: Uint32Array.of(3),
      keys: Uint8Array.of(2, 97, 98),
    };
    const arrived = journey(outcomeOf(packed));
    expect(arrived).toEqual({
      count: 1,
      kinds: Uint8Array.of(0),
      ends: Uint32Array.of(3),
      keys: Uint8Array.of(2, 97, 98),
    });
    expect([packed.kinds, packed.ends, packed.keys].map((view) => view.byteLength)).toEqual([
      0, 0, 0,
    ]);
  });

  it('takes of a larger or a shared buffer only its part, which stays with the others', () => {
    const slab = new Uint8Array(1_000_000).fill(7);
    const kinds = slab.subarray(0, 4);
    const keys = slab.subarray(4, 8);
    const arrived = journey(
      outcomeOf({ count: 4, kinds, keys, ends: new Uint32Array(slab.buffer) }),
    );
    expect([arrived.kinds.buffer.byteLength, arrived.keys.buffer.byteLength]).toEqual([4, 4]);
    expect(arrived.ends.length).toBe(250_000);
  });

  it('can be of nothing, again and again', () => {
    for (let times = 0; times < 2; times++) expect(journey(outcomeOf(EMPTY)).count).toBe(0);
  });
});
