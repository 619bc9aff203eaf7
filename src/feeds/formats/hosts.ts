import { parseIpv4, parseIpv6 } from '../../dns/address.ts';
import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { createFeedDraft, type FeedDraft } from './feed-draft.ts';
import { readComment } from './feed-facts.ts';
import { type FeedLine, visitLines } from './feed-lines.ts';
import { commentFacts } from './note-book.ts';

/**
 * A hosts file: an address, then names, all of them to be blocked whatever the address is. Strictly
 * each means itself only; but lists are written in this form for want of another, so the options of
 * the feed say what names mean. Names that every hosts file has for the machine itself are skipped.
 */
export function readHosts(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const draft = createFeedDraft(octets, options, 'bare');
  const lines = visitLines(octets, (line) => {
    if (line.isTooLong) draft.reject(line.number, line, 'line-too-long');
    else readHostsLine(draft, line);
  });
  return draft.finish({ detected: 'hosts', lines });
}

function readHostsLine(draft: FeedDraft, line: FeedLine): void {
  const { text, number, start } = line;
  const hash = text.indexOf('#');
  const content = hash === -1 ? text : text.slice(0, hash);
  const words = content.matchAll(/[^ \t]+/g);
  const address = words.next().value;
  if (address === undefined) return;
  if (!isAddress(address[0])) {
    draft.reject(number, line, 'no-address');
    return;
  }
  const comment = hash === -1 ? '' : draft.octets.toString('utf8', start + hash + 1, line.end);
  const facts = commentFacts(readComment(comment));
  let names = 0;
  for (const { 0: name, index } of words) {
    names++;
    if (LOCAL_NAMES.has(name.toLowerCase())) continue;
    const span = { start: start + index, end: start + index + name.length };
    if (isAddress(name) || PREFIX_FORM.test(name)) draft.reject(number, span, 'address-as-name');
    else draft.addSpan(number, span, facts);
  }
  if (names === 0) draft.reject(number, line, 'no-value');
}

/** Also `0`, which some lists save octets with, and addresses with a zone as in `fe80::1%lo0`. */
export function isAddress(text: string): boolean {
  if (text === '0.0.0.0' || text === '127.0.0.1' || text === '0') return true;
  // The quick way out for names.
  if (!/^[0-9a-fA-F:.]+(?:%[^ ]*)?$/.test(text)) return false;
  const [address] = text.split('%', 1);
  return (address.includes(':') ? parseIpv6(address) : parseIpv4(address)) !== null;
}

/** No name looks like that. */
const PREFIX_FORM = /^[0-9./]+$/;

const LOCAL_NAMES: ReadonlySet<string> = new Set([
  ...['localhost', 'localhost.localdomain', 'localhost4', 'localhost6', 'local'],
  ...['localhost4.localdomain4', 'localhost6.localdomain6', 'broadcasthost'],
  ...['ip6-localhost', 'ip6-loopback', 'ip6-localnet', 'ip6-mcastprefix'],
  ...['ip6-allnodes', 'ip6-allrouters', 'ip6-allhosts', '0.0.0.0'],
]);
