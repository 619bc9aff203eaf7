import { RRTYPE } from '../dns/registry.ts';
import type { PublishedHosts } from './ip-content.ts';
import { boundaryHash } from './ip-pages.ts';
import type { PrefixRows } from './prefix-rows.ts';
import { joinLabels, label, type RelativeRrset, RRSET_RECORDS_MAX } from './records.ts';

export const HOSTS_LABEL = label('hosts');

/**
 * A and AAAA RRsets of single addresses at `<n>.hosts`, for devices that know nothing else. The hash
 * of an address says on which page it is, so that the others stay when one comes or goes.
 */
export function* hostRrsets({ v4, v6 }: PublishedHosts, ttl: number): Generator<RelativeRrset> {
  if (v4.count + v6.count === 0) return;
  const pages = hostPageCount(v4, v6);
  const families = [
    { rows: v4, type: RRTYPE.A, byPage: groupByPage(v4, pages) },
    { rows: v6, type: RRTYPE.AAAA, byPage: groupByPage(v6, pages) },
  ];
  for (let page = 0; page < pages; page++) {
    const labels = joinLabels(label(String(page)), HOSTS_LABEL);
    for (const { rows, type, byPage } of families) {
      const rdatas = byPage[page].map((index) => hostRdata(rows, index));
      if (rdatas.length > 0) yield { labels, type, ttl, rdatas };
    }
  }
}

/** The smallest power of two at which no page has more than RRSET_RECORDS_MAX of a family: a function of the set. */
function hostPageCount(v4: PrefixRows, v6: PrefixRows): number {
  for (let pages = 1; ; pages *= 2) {
    if ([v4, v6].every((rows) => largestHostPage(rows, pages) <= RRSET_RECORDS_MAX)) return pages;
  }
}

function largestHostPage(rows: PrefixRows, pages: number): number {
  const sizes = new Uint32Array(pages);
  for (let index = 0; index < rows.count; index++) sizes[boundaryHash(rows, index) % pages]++;
  return sizes.reduce((largest, size) => Math.max(largest, size), 0);
}

function groupByPage(rows: PrefixRows, pages: number): number[][] {
  const groups: number[][] = Array.from({ length: pages }, () => []);
  for (let index = 0; index < rows.count; index++) {
    groups[boundaryHash(rows, index) % pages].push(index);
  }
  return groups;
}

function hostRdata(rows: PrefixRows, index: number): Uint8Array {
  const rdata = new Uint8Array(rows.words * 4);
  const view = new DataView(rdata.buffer);
  for (let word = 0; word < rows.words; word++) {
    view.setUint32(word * 4, rows.addresses[index * rows.words + word]);
  }
  return rdata;
}
