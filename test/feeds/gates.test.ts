import { describe, expect, it } from 'vitest';
import { type ContentCounts, gateReasons, uselessContent } from '../../src/feeds/gates.ts';

const NO_COUNTS: ContentCounts = {
  indicators: 1_000,
  duplicates: 0,
  rejected: 0,
  leftOut: 0,
  exceptions: 0,
  guarded: 0,
  belowConfidence: 0,
};
const GATES = { shrinkPercent: 50, growPercent: 100, rejectedPercent: 10 };

const reasons = (
  membersBefore: number,
  membersAfter: number,
  counts: Partial<ContentCounts> = {},
  gates: Partial<typeof GATES> | Record<string, null> = {},
) =>
  gateReasons(
    { ...GATES, ...gates },
    { membersBefore, membersAfter, content: { ...NO_COUNTS, ...counts } },
  );

describe('the gates of a feed', () => {
  it('hold a target that would shrink by more than its limit, and not one that shrinks by just that', () => {
    expect(reasons(1_000, 500)).toEqual([]);
    expect(reasons(1_000, 499)).toEqual([
      'The target would shrink by 50.1 %, from 1000 to 499 indicators; the limit is 50 %.',
    ]);
    expect(reasons(1_000, 0)).toHaveLength(1);
  });

  it('hold a target that would grow by more than its limit', () => {
    expect(reasons(1_000, 2_000)).toEqual([]);
    expect(reasons(1_000, 2_001)).toEqual([
      'The target would grow by 100.1 %, from 1000 to 2001 indicators; the limit is 100 %.',
    ]);
  });

  it('do not measure targets of fewer than a hundred indicators by shares', () => {
    expect(reasons(99, 0)).toEqual([]);
    expect(reasons(99, 100_000)).toEqual([]);
    expect(reasons(100, 0)).toHaveLength(1);
  });

  it('hold a content of which too much is no indicator', () => {
    expect(reasons(1_000, 1_000, { indicators: 900, rejected: 100 })).toEqual([]);
    expect(reasons(50, 50, { indicators: 89, rejected: 11 })).toEqual([
      '11 of 100 entries are no indicators, which is 11 %; the limit is 10 %.',
    ]);
  });

  it('count duplicates, guarded and left-out entries as entries that were understood', () => {
    const understood = { duplicates: 50, guarded: 10, exceptions: 10, leftOut: 10 };
    expect(reasons(200, 200, { ...understood, indicators: 10, rejected: 10 })).toEqual([]);
  });

  it('let the first content of a target pass', () => {
    expect(reasons(0, 1_000_000, { indicators: 10, rejected: 90 })).toEqual([]);
  });

  it('never hold where they are switched off', () => {
    const off = { shrinkPercent: null, growPercent: null, rejectedPercent: null };
    expect(reasons(1_000, 0, { rejected: 1_000_000 }, off)).toEqual([]);
    expect(reasons(1_000, 1_000_000, {}, off)).toEqual([]);
  });

  it('tell all reasons at once', () => {
    expect(reasons(1_000, 10, { indicators: 10, rejected: 10 })).toHaveLength(2);
  });
});

describe('a content without an indicator', () => {
  it('is of no use when its entries could not be used, and an empty list when there are none', () => {
    const none = { ...NO_COUNTS, indicators: 0 };
    expect(uselessContent(none)).toBeNull();
    expect(uselessContent({ ...none, belowConfidence: 5, leftOut: 2 })).toBeNull();
    expect(uselessContent({ ...none, rejected: 1_000_000, guarded: 2 })).toBe(
      'None of its entries can be used: 1000000 are no indicators, 2 cover what must never be blocked.',
    );
    expect(uselessContent({ ...none, indicators: 1, rejected: 5 })).toBeNull();
  });
});
