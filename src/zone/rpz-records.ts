import { type Catalogue, NONE } from '../indicators/catalogue.ts';
import { type ActionNumber, NO_ACTION } from '../policy/verdicts.ts';
import {
  type PositionedRecord,
  type RelativeRrset,
  subtractRdatas,
  wildcardBelow,
} from './records.ts';
import {
  belowAction,
  NO_STATE,
  type RpzContent,
  type RpzDiff,
  type RpzState,
  selfAction,
  stateAt,
} from './rpz-content.ts';
import { existsBelow } from './rpz-existence.ts';
import type { RpzRendering } from './rpz-rendering.ts';

/** Resource records of the rules: the apex is not counted. */
export function countRules(content: RpzContent, rendering: RpzRendering): number {
  let records = 0;
  for (const [state, ids] of content) records += ids.size * recordsPerOwner(state, rendering);
  return records;
}

function recordsPerOwner(state: RpzState, rendering: RpzRendering): number {
  const records = (action: ActionNumber) =>
    action === NO_ACTION ? 0 : rendering.rendered(action).records.length;
  return records(selfAction(state)) + records(belowAction(state));
}

/** Octets that the rules take in a transfer, roughly: what decides between IXFR and AXFR. */
export function estimateRuleOctets(
  content: RpzContent,
  rendering: RpzRendering,
  ownerOctets: number,
): number {
  let octets = 0;
  for (const [state, ids] of content)
    octets += ids.size * stateOctets(state, rendering, ownerOctets);
  return octets;
}

export function estimateDiffOctets(
  diff: RpzDiff,
  rendering: RpzRendering,
  ownerOctets: number,
): number {
  return diff.reduce(
    (octets, { from, to, ids }) =>
      octets +
      ids.length *
        (stateOctets(from, rendering, ownerOctets) + stateOctets(to, rendering, ownerOctets)),
    0,
  );
}

/**
 * The records that a difference takes away, or with `invertRpzDiff` those that it brings: exactly
 * those of the old state that the new one has not, to the octet (interop rule 7).
 */
export function* removedRecords(
  diff: RpzDiff,
  catalogue: Catalogue,
  rendering: RpzRendering,
): Generator<PositionedRecord> {
  for (const { from, to, ids } of diff) {
    const self = missingTails(selfAction(from), selfAction(to), rendering);
    const below = missingTails(belowAction(from), belowAction(to), rendering);
    for (const id of ids) {
      const labels = catalogue.owner(id);
      for (const tail of self) yield { labels, tail };
      if (below.length === 0) continue;
      const wildcard = wildcardBelow(labels);
      for (const tail of below) yield { labels: wildcard, tail };
    }
  }
}

export function countRemoved(diff: RpzDiff, rendering: RpzRendering): number {
  return diff.reduce(
    (records, { from, to, ids }) =>
      records +
      ids.length *
        (missingTails(selfAction(from), selfAction(to), rendering).length +
          missingTails(belowAction(from), belowAction(to), rendering).length),
    0,
  );
}

/** What stands at a name below the apex: RRsets, or only that the name exists (an empty non-terminal). */
export type RpzNode =
  | { readonly kind: 'rrsets'; readonly rrsets: readonly RelativeRrset[] }
  | { readonly kind: 'empty' }
  | { readonly kind: 'absent' };

/**
 * Looks up a name by RFC 1034 section 4.3.2 with the wildcards of RFC 4592: the name itself, else
 * the wildcard at its closest encloser. `labels` are lower case and relative to the zone.
 */
export function findRule(options: {
  readonly catalogue: Catalogue;
  readonly content: RpzContent;
  readonly rendering: RpzRendering;
  readonly labels: Uint8Array;
}): RpzNode {
  const { catalogue, content, rendering, labels } = options;
  const at = (from: number, asWildcard: boolean): RpzNode => {
    const id = catalogue.findOwner(labels, from, labels.length);
    const state = id === NONE ? NO_STATE : stateAt(content, id);
    const action = asWildcard ? belowAction(state) : selfAction(state);
    if (action !== NO_ACTION) return { kind: 'rrsets', rrsets: rrsetsOf(action, rendering) };
    if (asWildcard) return ABSENT;
    return existsBelow(catalogue, content, { source: labels, from }, id) ? EMPTY : ABSENT;
  };

  // A literal query for `*.x` finds the wildcard below `x`; where there is none, it is a name like
  // any other (RFC 4592 section 2.2.1) and may be matched by a wildcard further up.
  const own = at(0, false);
  if (own.kind !== 'absent') return own;
  for (let from = labels[0] + 1; from < labels.length; from += labels[from] + 1) {
    // Below the wildcard's own owner name nothing is synthesised (RFC 4592 section 3.3.1).
    if (isStar(labels, from) && at(from + 2, true).kind === 'rrsets') return ABSENT;
    const wildcard = at(from, true);
    if (wildcard.kind === 'rrsets') return wildcard;
    // The closest encloser is the first ancestor that exists; no wildcard further up applies.
    if (at(from, false).kind !== 'absent') return ABSENT;
  }
  // The apex always exists.
  return at(labels.length, true);
}

function isStar(labels: Uint8Array, from: number): boolean {
  return labels[from] === 1 && labels[from + 1] === 0x2a;
}

const ABSENT: RpzNode = { kind: 'absent' };
const EMPTY: RpzNode = { kind: 'empty' };

function rrsetsOf(action: ActionNumber, rendering: RpzRendering): RelativeRrset[] {
  const byType = new Map<number, Uint8Array[]>();
  for (const { type, rdata } of rendering.rendered(action).records) {
    byType.set(type, [...(byType.get(type) ?? []), rdata]);
  }
  return [...byType].map(([type, rdatas]) => ({
    labels: new Uint8Array(0),
    type,
    ttl: rendering.ttl,
    rdatas,
  }));
}

function missingTails(
  from: ActionNumber,
  to: ActionNumber,
  rendering: RpzRendering,
): readonly Uint8Array[] {
  if (from === NO_ACTION || from === to) return [];
  const { tails } = rendering.rendered(from);
  return to === NO_ACTION ? tails : subtractRdatas(tails, rendering.rendered(to).tails);
}

/** Type, class, TTL, length and a pointer around an owner. */
const RECORD_FIXED_OCTETS = 2;
const STAR_OCTETS = 4;

function stateOctets(state: RpzState, rendering: RpzRendering, ownerOctets: number): number {
  const self = selfAction(state);
  const below = belowAction(state);
  const selfOctets =
    self === NO_ACTION
      ? 0
      : ownerOctets + RECORD_FIXED_OCTETS + rendering.rendered(self).tailOctets;
  const belowOctets =
    below === NO_ACTION
      ? 0
      : STAR_OCTETS + (self === NO_ACTION ? ownerOctets : 0) + rendering.rendered(below).tailOctets;
  return selfOctets + belowOctets;
}
