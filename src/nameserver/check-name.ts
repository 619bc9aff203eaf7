import { encodeRdata } from '../dns/rdata.ts';
import { RRTYPE } from '../dns/registry.ts';
import { prefixAt } from '../zone/ip-compile.ts';
import { NO_LABELS, type RelativeRrset } from '../zone/records.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { Directory } from './directory-port.ts';

/** Check names end in this label: they are answered, but no records of the zone. */
const CHECK_LABEL = 'q';
const LISTED = Uint8Array.of(127, 0, 0, 2);
const TEXT_OCTETS_MAX = 255;

const IPV4_LABELS = 4;
const IPV6_LABELS = 32;

/** RFC 5782 section 5: the entry that tests a list, and the one that must never be in it. */
const TEST_LISTED = 0x7f000002;
const TEST_UNLISTED = 0x7f000001;

/**
 * Looks up a name in the form of RFC 5782 (section 2.1: the octets of an IPv4 address in reverse,
 * 2.4: the nibbles of an IPv6 address) below `q`: an A record 127.0.0.2 and a TXT that names who
 * lists the address. `null` is for names that are no check names.
 */
export function checkName(
  zone: ZoneSnapshot,
  labels: Uint8Array,
  directory: Directory,
): readonly RelativeRrset[] | 'empty' | 'absent' | null {
  const texts = labelTexts(labels);
  if (zone.body.kind !== 'ip' || texts.at(-1) !== CHECK_LABEL) return null;
  const parts = texts.slice(0, -1).reverse();
  // While names of whole IPv6 addresses may lie below, a name exists: told otherwise, a resolver that
  // asks label by label would stop here (RFC 8020 section 2).
  const otherwise = isAboveIpv6(parts) ? 'empty' : 'absent';
  const words = ipv4Words(parts) ?? ipv6Words(parts);
  if (words === null) return isAboveIpv4(parts) ? 'empty' : otherwise;
  const reason = listedReason(zone, words, directory);
  if (reason === null) return otherwise;
  const { ttl } = zone.body;
  const text = encodeRdata({
    type: 'TXT',
    strings: [Buffer.from(reason).subarray(0, TEXT_OCTETS_MAX)],
  });
  return [
    { labels: NO_LABELS, type: RRTYPE.A, ttl, rdatas: [LISTED] },
    { labels: NO_LABELS, type: RRTYPE.TXT, ttl, rdatas: [text] },
  ];
}

function listedReason(zone: ZoneSnapshot, words: Uint32Array, directory: Directory): string | null {
  if (zone.body.kind !== 'ip') return null;
  const mapped = ipv4Of(words);
  if (mapped === TEST_LISTED) return 'test entry (RFC 5782)';
  if (mapped === TEST_UNLISTED) return null;
  const pages = words.length === 1 ? zone.body.content.v4 : zone.body.content.v6;
  if (prefixAt(pages, words, words.length === 1 ? 1 : 4) === null) return null;
  const sources = directory.listedBy(zone, words);
  return sources.length === 0 ? zone.body.side : sources.join(', ');
}

/** The IPv4 address, also of an IPv4-mapped IPv6 address. */
function ipv4Of(words: Uint32Array): number | null {
  if (words.length === 1) return words[0];
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff ? words[3] : null;
}

function ipv4Words(parts: readonly string[]): Uint32Array | null {
  if (parts.length !== IPV4_LABELS || !parts.every(isOctet)) return null;
  return Uint32Array.of(parts.reduce((value, part) => value * 256 + Number(part), 0));
}

function ipv6Words(parts: readonly string[]): Uint32Array | null {
  if (parts.length !== IPV6_LABELS || !parts.every(isNibble)) return null;
  const hex = parts.join('');
  return Uint32Array.from({ length: 4 }, (_, word) =>
    Number.parseInt(hex.slice(word * 8, word * 8 + 8), 16),
  );
}

function isAboveIpv4(parts: readonly string[]): boolean {
  return parts.length < IPV4_LABELS && parts.every(isOctet);
}

function isAboveIpv6(parts: readonly string[]): boolean {
  return parts.length < IPV6_LABELS && parts.every(isNibble);
}

const isOctet = (part: string): boolean =>
  /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255;
const isNibble = (part: string): boolean => /^[0-9a-f]$/.test(part);

function labelTexts(labels: Uint8Array): string[] {
  const texts: string[] = [];
  for (let at = 0; at < labels.length; at += labels[at] + 1) {
    texts.push(Buffer.from(labels.subarray(at + 1, at + 1 + labels[at])).toString('latin1'));
  }
  return texts;
}
