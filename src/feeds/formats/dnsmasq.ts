import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { createFeedDraft, type FeedDraft } from './feed-draft.ts';
import { type FeedLine, visitLines } from './feed-lines.ts';
import { isAddress } from './hosts.ts';

/**
 * A configuration of dnsmasq: `address=/a/b/0.0.0.0`, `address=/a/#`, `local=/a/`, `server=/a/`,
 * each a name with all below it. `server=/a/#` sends a name back to the usual servers and takes it
 * out; one that names another server is no block.
 */
export function readDnsmasq(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const draft = createFeedDraft(octets, options, 'name');
  const lines = visitLines(octets, (line) => {
    if (line.isTooLong) draft.reject(line.number, line, 'line-too-long');
    else readSetting(draft, line);
  });
  return draft.finish({ detected: 'dnsmasq', lines });
}

function readSetting(draft: FeedDraft, line: FeedLine): void {
  const { number, text } = line;
  if (/^[ \t]*(?:#|$)/.test(text)) return;
  const setting = /^[ \t]*([a-z0-9-]+)[ \t]*(?:=[ \t]*|$)/.exec(text);
  if (setting === null) {
    draft.reject(number, line, 'bad-syntax');
    return;
  }
  const [before, word] = setting;
  if (word !== 'address' && word !== 'local' && word !== 'server') {
    draft.reject(number, line, 'other-directive');
    return;
  }
  const valueEnd = endOfValue(text, before.length);
  const lastSlash = text.lastIndexOf('/', valueEnd - 1);
  // Without names it sets the servers for everything.
  if (text[before.length] !== '/') {
    draft.reject(number, line, 'other-directive');
    return;
  }
  if (lastSlash === before.length) {
    draft.reject(number, line, 'bad-syntax');
    return;
  }
  const effect = effectOf(word, text.slice(lastSlash + 1, valueEnd));
  if (effect === null) {
    draft.reject(number, line, 'bad-syntax');
    return;
  }
  if (effect === 'forward') {
    draft.reject(number, line, 'not-a-block');
    return;
  }
  for (let at = before.length + 1; at <= lastSlash; ) {
    const end = text.indexOf('/', at);
    readName(draft, { number, start: line.start + at, end: line.start + end }, effect);
    at = end + 1;
  }
}

function readName(
  draft: FeedDraft,
  { number, start, end }: { readonly number: number; readonly start: number; readonly end: number },
  effect: 'block' | 'open',
): void {
  const { octets } = draft;
  const isEverything = end - start === 1 && octets[start] === HASH;
  // `.example.com` is an older way to write the same.
  const from = octets[start] === DOT && end - start > 1 ? start + 1 : start;
  if (effect === 'open') draft.except(number, octets.toString('utf8', from, end), 'subtree');
  else if (isEverything) draft.addText(number, '*', 'name');
  else draft.addSpan(number, { start: from, end });
}

/** dnsmasq(8): an empty address is NXDOMAIN, `#` the null address, and any other a place to send people to. */
function effectOf(
  word: 'address' | 'local' | 'server',
  target: string,
): 'block' | 'open' | 'forward' | null {
  if (target === '') return 'block';
  if (target === '#') return word === 'address' ? 'block' : 'open';
  if (word === 'address') return isAddress(target) ? 'block' : null;
  return 'forward';
}

/** Up to a blank: what follows is a comment. */
function endOfValue(text: string, from: number): number {
  const blank = text.slice(from).search(/[ \t]/);
  return blank === -1 ? text.length : from + blank;
}

const HASH = 0x23;
const DOT = 0x2e;
