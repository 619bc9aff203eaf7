import type { FeedDraft, NameForm } from './feed-draft.ts';
import type { FeedFacts } from './feed-facts.ts';

/**
 * A value with a word that says what it is, as MISP's attributes have it and many tables do:
 * `domain`, `ip-dst`, `ip:port`, `domain|ip`. A type that says nothing about names or addresses
 * (a hash, a URL) is left out.
 */
export interface TypedValue {
  readonly line: number;
  readonly type: string;
  readonly value: string;
  readonly facts: FeedFacts;
}

export function addTypedValue(draft: FeedDraft, { line, type, value, facts }: TypedValue): void {
  const word = type.trim().toLowerCase().replaceAll(/[_ ]/g, '-');
  const parts = Object.hasOwn(TYPES, word) ? TYPES[word] : null;
  if (parts === null) {
    draft.leaveOut('other-type');
    return;
  }
  const texts = parts.length === 1 ? [value] : value.split('|', parts.length);
  for (const [index, part] of parts.entries()) {
    const text = (texts[index] ?? '').trim();
    if (part === 'port') continue;
    if (text === '') draft.reject(line, value, 'no-value');
    else if (part === 'address') draft.addText(line, `ip:${text}`, 'bare', facts);
    else if (part === 'address-port') draft.addText(line, `ip:${withoutPort(text)}`, 'bare', facts);
    else draft.addText(line, text, part, facts);
  }
}

type Part = NameForm | 'address' | 'address-port' | 'port';

/** A `hostname` is that host alone, a `domain` what the feed takes names for. */
const TYPES: Readonly<Record<string, readonly Part[]>> = {
  domain: ['bare'],
  'domain-name': ['bare'],
  fqdn: ['bare'],
  name: ['bare'],
  hostname: ['host'],
  host: ['host'],
  ip: ['address'],
  ipv4: ['address'],
  ipv6: ['address'],
  'ip-address': ['address'],
  'ipv4-addr': ['address'],
  'ipv6-addr': ['address'],
  address: ['address'],
  cidr: ['address'],
  'ip-src': ['address'],
  'ip-dst': ['address'],
  'ip:port': ['address-port'],
  'ip-port': ['address-port'],
  'ip|port': ['address', 'port'],
  'ip-src|port': ['address', 'port'],
  'ip-dst|port': ['address', 'port'],
  'hostname|port': ['host', 'port'],
  'domain|ip': ['bare', 'address'],
  'hostname|ip': ['host', 'address'],
};

/** `192.0.2.1:443` and `[2001:db8::1]:443`. */
function withoutPort(text: string): string {
  const parts = /^\[([0-9a-fA-F:.]+)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(text);
  return parts?.[1] ?? parts?.[2] ?? text;
}
