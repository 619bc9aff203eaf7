import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpv4 } from '../../src/dns/address.ts';
import { Catalogue } from '../../src/indicators/catalogue.ts';
import { visitIds } from '../../src/indicators/id-set.ts';
import { actionKey } from '../../src/policy/action.ts';
import { changedOwners } from '../../src/policy/changed-owners.ts';
import { createVerdicts } from '../../src/policy/verdicts.ts';
import { createActionTable } from '../../src/zone/action-table.ts';
import { compileIp, diffIp, IP_ACTION } from '../../src/zone/ip-compile.ts';
import { applyPrefixDiff, type PrefixPages, pagesOf } from '../../src/zone/ip-pages.ts';
import { compileRpz, diffRpz } from '../../src/zone/rpz-compile.ts';
import {
  applyRpzDiff,
  belowAction,
  composeRpzDiffs,
  diffRpzContents,
  invertRpzDiff,
  type RpzContent,
  selfAction,
} from '../../src/zone/rpz-content.ts';
import { createRpzRendering, type RpzRendering } from '../../src/zone/rpz-rendering.ts';
import {
  ADDRESS,
  DNS_SOURCE,
  IP_SOURCE,
  membersOf,
  naiveVerdict,
  QUERY_NAME,
  type Source,
} from './policy-model.ts';

/** Owner text (`*.a.b`, `32.1.0.0.10.rpz-ip`) → action, as a resolver reads the zone. */
type Rules = ReadonlyMap<string, string>;

function rulesOf(catalogue: Catalogue, content: RpzContent, rendering: RpzRendering): Rules {
  const rules = new Map<string, string>();
  for (const [state, ids] of content) {
    visitIds(ids, (id) => {
      const owner = labelsText(catalogue.owner(id));
      if (selfAction(state))
        rules.set(owner, actionKey(rendering.rendered(selfAction(state)).action));
      if (belowAction(state))
        rules.set(`*.${owner}`, actionKey(rendering.rendered(belowAction(state)).action));
      return true;
    });
  }
  return rules;
}

function labelsText(labels: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < labels.length; at += labels[at]! + 1) {
    parts.push(Buffer.from(labels.subarray(at + 1, at + 1 + labels[at]!)).toString('latin1'));
  }
  return parts.join('.');
}

/** From the nearest up to the apex, which is the empty text. */
const ancestors = (name: string): string[] => {
  const labels = name.split('.');
  return labels.map((_, index) => labels.slice(index + 1).join('.'));
};

/** The three ways in which resolvers look a name up (interop.md, "Wildcards are not portable"). */
const RESOLVERS = {
  /** Closest encloser, empty nodes count as existing. */
  bind(rules: Rules, name: string): string | null {
    const exists = (node: string) =>
      node === '' ||
      rules.has(node) ||
      [...rules.keys()].some((owner) => owner.endsWith(`.${node}`));
    if (exists(name)) return rules.get(name) ?? null;
    const encloser = ancestors(name).find(exists);
    return encloser === undefined ? null : (rules.get(`*.${encloser}`) ?? null);
  },
  /** Closest encloser, but an empty node does not hide the wildcard above it from a query for itself. */
  unbound(rules: Rules, name: string): string | null {
    if (rules.has(name)) return rules.get(name)!;
    const exists = (node: string) =>
      node === '' ||
      rules.has(node) ||
      [...rules.keys()].some((owner) => owner.endsWith(`.${node}`));
    const encloser = ancestors(name).find(exists);
    return encloser === undefined ? null : (rules.get(`*.${encloser}`) ?? null);
  },
  /** The wildcard of any ancestor, the nearest first. */
  powerdns(rules: Rules, name: string): string | null {
    const wildcard = ancestors(name).find((node) => rules.has(`*.${node}`));
    return rules.get(name) ?? (wildcard === undefined ? null : rules.get(`*.${wildcard}`)!);
  },
};

function addressVerdict(rules: Rules, address: string): string | null {
  const octets = address.split('.').map(Number);
  const number = octets.reduce((sum, part) => sum * 256 + part, 0);
  for (let length = 32; length >= 1; length--) {
    const network = Math.floor(number / 2 ** (32 - length)) * 2 ** (32 - length);
    const parts = [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256);
    const owner = `${length}.${parts.reverse().join('.')}.rpz-ip`;
    if (rules.has(owner)) return rules.get(owner)!;
  }
  return null;
}

const keyOrNull = (sources: readonly Source[], query: string, trigger: 'name' | 'ip') => {
  const action = naiveVerdict(sources, query, trigger);
  return action === null ? null : actionKey(action);
};

const SOURCES = fc.array(DNS_SOURCE, { minLength: 1, maxLength: 5 });

describe('a DNS policy', () => {
  it('gives every resolver exactly the verdict of the naive model', () => {
    fc.assert(
      fc.property(
        SOURCES,
        fc.array(QUERY_NAME, { minLength: 30, maxLength: 30 }),
        fc.array(ADDRESS, { minLength: 10, maxLength: 10 }),
        (sources, names, addresses) => {
          const catalogue = new Catalogue();
          const rendering = createRpzRendering(60, createActionTable([]));
          const verdicts = createVerdicts(
            catalogue,
            membersOf(catalogue, sources),
            rendering.numberOf,
          );
          const rules = rulesOf(catalogue, compileRpz(catalogue, verdicts), rendering);
          for (const name of names) {
            const expected = keyOrNull(sources, name, 'name');
            for (const [resolver, look] of Object.entries(RESOLVERS)) {
              expect([resolver, name, look(rules, name)]).toEqual([resolver, name, expected]);
            }
          }
          for (const address of addresses) {
            expect([address, addressVerdict(rules, address)]).toEqual([
              address,
              keyOrNull(sources, address, 'ip'),
            ]);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('has the same rules whether it is compiled from nothing or changed step by step', () => {
    fc.assert(
      fc.property(fc.array(SOURCES, { minLength: 2, maxLength: 6 }), (steps) => {
        const catalogue = new Catalogue();
        const rendering = createRpzRendering(60, createActionTable([]));
        let members = membersOf(catalogue, steps[0]!);
        let verdicts = createVerdicts(catalogue, members, rendering.numberOf);
        const first = compileRpz(catalogue, verdicts);
        let content = first;
        const diffs = [];
        for (const sources of steps.slice(1)) {
          const next = membersOf(catalogue, sources);
          const after = createVerdicts(catalogue, next, rendering.numberOf);
          const diff = diffRpz({
            catalogue,
            content,
            before: verdicts,
            after,
            changed: changedOwners(members, next),
          });
          const changed = applyRpzDiff(content, diff);
          // The way that a large change takes comes to the same difference.
          expect(diffRpzContents(content, compileRpz(catalogue, after))).toEqual(diff);
          const expected = rulesOf(catalogue, compileRpz(catalogue, after), rendering);
          expect(rulesOf(catalogue, changed, rendering)).toEqual(expected);
          expect(rulesOf(catalogue, applyRpzDiff(changed, invertRpzDiff(diff)), rendering)).toEqual(
            rulesOf(catalogue, content, rendering),
          );
          content = changed;
          members = next;
          verdicts = after;
          diffs.push(diff);
        }
        const jump = applyRpzDiff(first, composeRpzDiffs(diffs));
        expect(rulesOf(catalogue, jump, rendering)).toEqual(rulesOf(catalogue, content, rendering));
      }),
      { numRuns: 1_000 },
    );
  });
});

const ipNumber = (action: { kind: string }) =>
  action.kind === 'allow' ? IP_ACTION.allow : IP_ACTION.block;

function listText(pages: PrefixPages): string[] {
  return pages.flatMap(({ prefixes }) =>
    Array.from({ length: prefixes.count }, (_, index) => {
      const octets = new Uint8Array(4);
      new DataView(octets.buffer).setUint32(0, prefixes.addresses[index]!);
      return `${formatIpv4(octets)}/${prefixes.lengths[index]}`;
    }),
  );
}

function addressesOf(list: readonly string[]): Set<string> {
  const all = new Set<string>();
  for (const prefix of list) {
    const [network = '', length = ''] = prefix.split('/');
    const start = Number(network.split('.')[3]);
    for (let last = start; last < start + 2 ** (32 - Number(length)); last++)
      all.add(`10.0.0.${last}`);
  }
  return all;
}

describe('an IP policy', () => {
  it('publishes the fewest prefixes that hold exactly the addresses of each side', () => {
    fc.assert(
      fc.property(fc.array(IP_SOURCE, { minLength: 1, maxLength: 5 }), (sources) => {
        const catalogue = new Catalogue();
        const verdicts = createVerdicts(catalogue, membersOf(catalogue, sources), ipNumber);
        const pair = compileIp(catalogue, verdicts, 1);
        for (const side of ['block', 'allow'] as const) {
          const expected = new Set<string>();
          for (let last = 0; last < 256; last++) {
            const address = `10.0.0.${last}`;
            if (naiveVerdict(sources, address, 'ip')?.kind === side) expected.add(address);
          }
          const list = listText(pair[side]);
          expect(addressesOf(list)).toEqual(expected);
          expect(list.length).toBe(fewestPrefixes(expected));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has the same pages whatever the order of changes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(IP_SOURCE, { minLength: 1, maxLength: 4 }), {
          minLength: 2,
          maxLength: 6,
        }),
        (steps) => {
          const catalogue = new Catalogue();
          let members = membersOf(catalogue, steps[0]!);
          let pages = compileIp(catalogue, createVerdicts(catalogue, members, ipNumber), 1);
          for (const sources of steps.slice(1)) {
            const next = membersOf(catalogue, sources);
            const verdicts = createVerdicts(catalogue, next, ipNumber);
            const diff = diffIp({
              catalogue,
              verdicts,
              words: 1,
              pages,
              changed: changedOwners(members, next),
            });
            pages = {
              block: applyPrefixDiff(pages.block, diff.block),
              allow: applyPrefixDiff(pages.allow, diff.allow),
            };
            expect(pages).toEqual(compileIp(catalogue, verdicts, 1));
            members = next;
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

/** Counted independently: the binary tree over the last octet, a full subtree counts once. */
function fewestPrefixes(addresses: ReadonlySet<string>, from = 0, size = 256): number {
  let held = 0;
  for (let last = from; last < from + size; last++) if (addresses.has(`10.0.0.${last}`)) held++;
  if (held === 0) return 0;
  if (held === size) return 1;
  const half = size / 2;
  return fewestPrefixes(addresses, from, half) + fewestPrefixes(addresses, from + half, half);
}

describe('the layout of pages', () => {
  it('is a function of the list alone, for large lists that are edited in many places', () => {
    const random = seeded(7);
    const all = new Map<number, true>();
    for (let index = 0; index < 20_000; index++) all.set(Math.floor(random() * 2 ** 31) * 2, true);
    const rows = (values: Iterable<number>) => {
      const sorted = Uint32Array.from(values).sort();
      return {
        words: 1 as const,
        count: sorted.length,
        addresses: sorted,
        lengths: new Uint8Array(sorted.length).fill(32),
      };
    };
    let pages = pagesOf(rows(all.keys()));
    let shared = 0;
    for (let round = 0; round < 60; round++) {
      const removed = [...all.keys()].filter(() => random() < 0.001);
      const added = Array.from({ length: 10 }, () => Math.floor(random() * 2 ** 31) * 2).filter(
        (value) => !all.has(value),
      );
      for (const value of removed) all.delete(value);
      for (const value of added) all.set(value, true);
      const next = applyPrefixDiff(pages, { removed: rows(removed), added: rows(new Set(added)) });
      const before = new Set(pages);
      shared += next.filter((page) => before.has(page)).length;
      expect(next).toEqual(pagesOf(rows(all.keys())));
      pages = next;
    }
    expect(pages.every(({ bucketStarts }) => bucketStarts.length <= 100)).toBe(true);
    // Thirty-odd places change in each round; the pages without one are taken over.
    expect(shared).toBeGreaterThan(0);
  });
});

/** A small generator of numbers in [0, 1) that always gives the same ones. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
