import { type Catalogue, NONE } from '../indicators/catalogue.ts';
import { type CoverQuery, coveringPrefixes, ownerOfName } from '../policy/explain.ts';
import { type ActionNumber, NO_ACTION } from '../policy/verdicts.ts';
import { compareRows, lastOfPrefix } from '../zone/address-words.ts';
import type { IpContent } from '../zone/ip-content.ts';
import { findInPages } from '../zone/ip-pages.ts';
import {
  belowAction,
  NO_STATE,
  type RpzContent,
  selfAction,
  stateAt,
} from '../zone/rpz-content.ts';

/** What an RPZ zone with this content does with a query: the number of an action, or NO_ACTION. */
export function rpzVerdict(
  catalogue: Catalogue,
  content: RpzContent,
  query: CoverQuery,
): ActionNumber {
  return 'words' in query
    ? addressVerdict(catalogue, content, query)
    : nameVerdict(catalogue, content, query);
}

/** Whether the list of an IP zone holds an address, or the whole prefix that is asked for. */
export function isListed(content: IpContent, words: Uint32Array, length: number): boolean {
  const size = words.length === 1 ? 1 : 4;
  const pages = size === 1 ? content.v4 : content.v6;
  const { page, index } = findInPages(pages, words, size);
  if (index < 0) return false;
  const { addresses, lengths } = pages[page]!.prefixes;
  if (lengths[index]! > length) return false;
  const last = new Uint32Array(size);
  lastOfPrefix(addresses, index * size, lengths[index]!, last);
  return compareRows(words, 0, last, 0, size) <= 0;
}

/**
 * The owner itself, else the wildcard of the nearest owner above it that holds anything: in a closed
 * tree (interop rules) no resolver finds another.
 */
function nameVerdict(
  catalogue: Catalogue,
  content: RpzContent,
  query: Extract<CoverQuery, { labels: Uint8Array }>,
): ActionNumber {
  const owner = ownerOfName(query);
  const stateFrom = (from: number) => {
    const id = catalogue.findOwner(owner, from, owner.length);
    return id === NONE ? NO_STATE : stateAt(content, id);
  };
  for (let from = 0; from < query.labels.length; from += owner[from]! + 1) {
    const state = stateFrom(from);
    if (from === 0 && selfAction(state) !== NO_ACTION) return selfAction(state);
    if (from > 0 && state !== NO_STATE) return belowAction(state);
  }
  return query.trigger === 'qname' ? belowAction(stateFrom(owner.length)) : NO_ACTION;
}

/** The longest prefix wins with every resolver. */
function addressVerdict(
  catalogue: Catalogue,
  content: RpzContent,
  query: Extract<CoverQuery, { words: Uint32Array }>,
): ActionNumber {
  for (const { id } of coveringPrefixes(catalogue, query)) {
    const state = stateAt(content, id);
    if (state !== NO_STATE) return selfAction(state);
  }
  return NO_ACTION;
}
