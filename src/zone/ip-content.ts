import { applyPrefixDiff, type PrefixPages } from './ip-pages.ts';
import {
  comparePrefixes,
  createPrefixCollector,
  noPrefixes,
  type PrefixDiff,
  type PrefixRows,
  subtractPrefixes,
} from './prefix-rows.ts';

/** Single addresses that are published as A and AAAA records too, and how many had no room. */
export interface PublishedHosts {
  readonly v4: PrefixRows;
  readonly v6: PrefixRows;
  readonly leftOut: number;
}

/** What one zone of an IP pair lists. Immutable. */
export interface IpContent {
  readonly v4: PrefixPages;
  readonly v6: PrefixPages;
  readonly hosts: PublishedHosts;
}

export const EMPTY_IP: IpContent = {
  v4: [],
  v6: [],
  hosts: { v4: noPrefixes(1), v6: noPrefixes(4), leftOut: 0 },
};

/** The difference between two contents. `leftOut` is what the count rises by. */
export interface IpDiff {
  readonly v4: PrefixDiff;
  readonly v6: PrefixDiff;
  readonly hosts4: PrefixDiff;
  readonly hosts6: PrefixDiff;
  readonly leftOut: number;
}

const LISTS = ['v4', 'v6', 'hosts4', 'hosts6'] as const;

export function applyIpDiff(content: IpContent, diff: IpDiff): IpContent {
  return {
    v4: applyPrefixDiff(content.v4, diff.v4),
    v6: applyPrefixDiff(content.v6, diff.v6),
    hosts: {
      v4: withPrefixes(content.hosts.v4, diff.hosts4),
      v6: withPrefixes(content.hosts.v6, diff.hosts6),
      leftOut: content.hosts.leftOut + diff.leftOut,
    },
  };
}

export function isEmptyIpDiff(diff: IpDiff): boolean {
  return (
    diff.leftOut === 0 &&
    LISTS.every((list) => diff[list].removed.count === 0 && diff[list].added.count === 0)
  );
}

export function invertIpDiff(diff: IpDiff): IpDiff {
  return {
    v4: invert(diff.v4),
    v6: invert(diff.v6),
    hosts4: invert(diff.hosts4),
    hosts6: invert(diff.hosts6),
    leftOut: -diff.leftOut,
  };
}

/** The net effect of differences that follow one another. */
export function composeIpDiffs(diffs: readonly IpDiff[]): IpDiff {
  return diffs.reduce((first, second) => ({
    v4: compose(first.v4, second.v4),
    v6: compose(first.v6, second.v6),
    hosts4: compose(first.hosts4, second.hosts4),
    hosts6: compose(first.hosts6, second.hosts6),
    leftOut: first.leftOut + second.leftOut,
  }));
}

function invert({ removed, added }: PrefixDiff): PrefixDiff {
  return { removed: added, added: removed };
}

function compose(first: PrefixDiff, second: PrefixDiff): PrefixDiff {
  return {
    removed: mergePrefixes(
      subtractPrefixes(first.removed, second.added),
      subtractPrefixes(second.removed, first.added),
    ),
    added: mergePrefixes(
      subtractPrefixes(first.added, second.removed),
      subtractPrefixes(second.added, first.removed),
    ),
  };
}

function withPrefixes(rows: PrefixRows, { removed, added }: PrefixDiff): PrefixRows {
  if (removed.count === 0 && added.count === 0) return rows;
  return mergePrefixes(subtractPrefixes(rows, removed), added);
}

function mergePrefixes(a: PrefixRows, b: PrefixRows): PrefixRows {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const merged = createPrefixCollector(a.words);
  let inA = 0;
  let inB = 0;
  while (inA < a.count || inB < b.count) {
    const takesA = inB >= b.count || (inA < a.count && comparePrefixes(a, inA, b, inB) < 0);
    const [rows, index] = takesA ? [a, inA++] : [b, inB++];
    merged.add(rows.addresses, index * rows.words, rows.lengths[index]);
  }
  return merged.finish();
}
