import { mergeCidr, overlapCidr } from 'cidr-tools';
import { describe, expect, it } from 'vitest';
import { freshPrefixes, generatePrefixes } from '../../scripts/bench/generate-prefixes.ts';

const COUNT = 4_000;

describe('the prefixes of the benchmark', () => {
  const { blocked, allowed } = generatePrefixes(COUNT);

  it('are as many as are asked for, and none becomes one with another', () => {
    expect(blocked.length + allowed.length).toBe(COUNT);
    expect(mergeCidr([...blocked])).toHaveLength(blocked.length);
    expect(mergeCidr([...allowed])).toHaveLength(allowed.length);
  });

  it('hold a few addresses that are allowed inside of networks that are blocked', () => {
    const inside = allowed.filter((prefix) => overlapCidr(prefix, [...blocked]));
    expect(inside).toHaveLength(COUNT / 2_000);
  });

  it('that come by a change are new in each round', () => {
    const first = freshPrefixes(100, 0);
    const second = freshPrefixes(100, 1);
    expect(mergeCidr([...blocked, ...first, ...second])).toHaveLength(blocked.length + 200);
  });
});
