import { LINE_OCTETS_MAX } from '../../indicators/parse-line.ts';
import { REJECTIONS_KEPT_MAX, readIndicatorLines } from '../../indicators/read-lines.ts';
import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { createFeedDraft, type FeedDraft, parseOptionsOf } from './feed-draft.ts';
import { readComment } from './feed-facts.ts';
import { commentFacts } from './note-book.ts';
import { NAME } from './packed-set.ts';

/**
 * Plain lines: a name, an address, a prefix or a range each, or an address and a number. The bulk
 * path of the catalogue's own parser reads them; what is left here is the comments behind values.
 */
export function readPlainLines(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const { draft, lines } = readInBulk(octets, options);
  return draft.finish({ detected: 'lines', lines });
}

/**
 * A list of nothing but `*.name`: name and subtree. Strictly `*.name` is only what is below the
 * name, but a list that never says `name` beside it is a list of names to block, written for
 * programs whose wildcard takes the name along (dnscrypt-proxy, YogaDNS). In a list that has both,
 * the two forms tell apart what they mean, and each is taken as it stands.
 */
export function readWildcards(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const { draft, lines, kinds } = readInBulk(octets, options);
  const wildcardsAreNames = !kinds.includes(NAME);
  return draft.finish({ detected: 'wildcard', lines, wildcardsAreNames, mergesForms: true });
}

function readInBulk(octets: Uint8Array, options: ParseFeedOptions) {
  const draft = createFeedDraft(octets, options, 'bare');
  const read = readIndicatorLines(octets, {
    ...parseOptionsOf(options),
    rejectionsShown: REJECTIONS_KEPT_MAX,
    indicatorsMax: options.indicatorsMax,
    hashSeed: options.hashSeed,
  });
  draft.takeBulk(read);
  noteComments(draft);
  return { draft, lines: read.lines, kinds: read.packed.kinds };
}

/** Goes from sign to sign, so that a list without comments costs one search for each of the two. */
function noteComments(draft: FeedDraft): void {
  const { octets } = draft;
  const find = (sign: number, from: number): number => {
    const at = octets.indexOf(sign, from);
    return at === -1 ? octets.length : at;
  };
  let hash = find(HASH, 0);
  let semicolon = find(SEMICOLON, 0);
  for (let at = Math.min(hash, semicolon); at < octets.length; at = Math.min(hash, semicolon)) {
    const end = find(LINE_FEED, at);
    noteLine(draft, octets.lastIndexOf(LINE_FEED, at) + 1, end);
    if (hash < end) hash = find(HASH, end);
    if (semicolon < end) semicolon = find(SEMICOLON, end);
  }
}

/** A comment begins behind a blank; at the start of a line it is about nothing. */
function noteLine(draft: FeedDraft, start: number, end: number): void {
  const { octets } = draft;
  let content = start;
  while (content < end && isBlank(octets[content])) content++;
  if (content === end || isCommentSign(octets[content])) return;
  let at = content + 1;
  while (at < end && !(isCommentSign(octets[at]) && isBlank(octets[at - 1]))) at++;
  if (at === end || at - content > LINE_OCTETS_MAX) return;
  // An address and a number have a tab between them.
  let valueEnd = content;
  while (valueEnd < at && octets[valueEnd] !== TAB) valueEnd++;
  const value = octets.toString('utf8', content, valueEnd);
  while (at < end && (isCommentSign(octets[at]) || isBlank(octets[at]))) at++;
  const comment = octets.toString('utf8', at, Math.min(end, at + LINE_OCTETS_MAX));
  draft.note(value, commentFacts(readComment(comment)));
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}

function isCommentSign(octet: number): boolean {
  return octet === HASH || octet === SEMICOLON;
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const HASH = 0x23;
const SEMICOLON = 0x3b;
