import type { IndicatorKind } from './indicator.ts';

/**
 * Owners of RPZ triggers relative to the zone, as labels in wire form without root octet
 * (draft-vixie-dnsop-dns-rpz-00 section 4; the canonical IPv6 form is what BIND's lib/dns/rpz.c
 * compares with and what it takes no other form for).
 */

type AddressKind = 'ip' | 'nsip' | 'clientip';

const TRIGGER_LABELS: Readonly<Record<AddressKind | 'nsname', Uint8Array>> = {
  ip: labelOctets('rpz-ip'),
  nsip: labelOctets('rpz-nsip'),
  clientip: labelOctets('rpz-client-ip'),
  nsname: labelOctets('rpz-nsdname'),
};

/** `128`, eight groups of four digits, `rpz-client-ip`: the longest owner of an address trigger. */
export const PREFIX_OWNER_OCTETS_MAX = 4 + 8 * 5 + 14;

export const WILDCARD_LABEL_OCTETS = 2;

/**
 * The owner of a prefix key: `24.0.2.0.192.rpz-ip`, `48.zz.db8.2001.rpz-ip`. The key must be in
 * its one form (host bits zero), since BIND ignores any other.
 */
export function prefixOwner(kind: AddressKind, key: Uint8Array): Uint8Array {
  let end = writeDecimalLabel(key[0], 0);
  if (key.length === 5) {
    for (let octet = 4; octet >= 1; octet--) end = writeDecimalLabel(key[octet], end);
  } else {
    end = writeIpv6Labels(key, end);
  }
  const trigger = TRIGGER_LABELS[kind];
  scratch.set(trigger, end);
  return scratch.slice(0, end + trigger.length);
}

/** Of the label that the owners of an address trigger end in. */
export function triggerOctets(kind: AddressKind): number {
  return TRIGGER_LABELS[kind].length;
}

/**
 * Octets, relative to the zone and without root octet, of the longest owner that an indicator can
 * come to have. A name always counts with `*` in front: a closed tree may need that even of a host.
 */
export function ownerOctets(kind: IndicatorKind, key: Uint8Array): number {
  switch (kind) {
    case 'ip':
    case 'nsip':
    case 'clientip':
      return prefixOwner(kind, key).length;
    case 'nsname':
      return key.length + WILDCARD_LABEL_OCTETS + TRIGGER_LABELS.nsname.length;
    default:
      return key.length + WILDCARD_LABEL_OCTETS;
  }
}

const scratch = new Uint8Array(PREFIX_OWNER_OCTETS_MAX);
const words = new Uint16Array(8);

/** The words from last to first, the longest run of two or more zero words as one `zz`. */
function writeIpv6Labels(key: Uint8Array, at: number): number {
  for (let word = 0; word < 8; word++) words[word] = (key[1 + word * 2] << 8) | key[2 + word * 2];
  const run = longestZeroRun();
  let end = at;
  for (let word = 7; word >= 0; word--) {
    if (run.length >= 2 && word === run.start + run.length - 1) {
      end = writeZz(end);
      word = run.start;
    } else {
      end = writeHexLabel(words[word], end);
    }
  }
  return end;
}

const run = { start: 0, length: 0 };

/** On a tie the first in normal order, as RFC 5952 section 4.2.3 and BIND have it. */
function longestZeroRun(): { readonly start: number; readonly length: number } {
  run.length = 0;
  let start = 0;
  for (let word = 0; word < 8; word++) {
    if (words[word] !== 0) start = word + 1;
    else if (word + 1 - start > run.length) {
      run.start = start;
      run.length = word + 1 - start;
    }
  }
  return run;
}

function writeZz(at: number): number {
  scratch[at] = 2;
  scratch[at + 1] = 0x7a;
  scratch[at + 2] = 0x7a;
  return at + 3;
}

/** A number up to 255 without leading zeros. */
function writeDecimalLabel(value: number, at: number): number {
  let end = at + 1;
  if (value >= 100) scratch[end++] = 0x30 + ((value / 100) | 0);
  if (value >= 10) scratch[end++] = 0x30 + (((value / 10) | 0) % 10);
  scratch[end++] = 0x30 + (value % 10);
  scratch[at] = end - at - 1;
  return end;
}

const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/** A number up to ffff in lower case without leading zeros. */
function writeHexLabel(value: number, at: number): number {
  let end = at + 1;
  if (value >= 0x1000) scratch[end++] = HEX_DIGITS[value >> 12];
  if (value >= 0x100) scratch[end++] = HEX_DIGITS[(value >> 8) & 15];
  if (value >= 0x10) scratch[end++] = HEX_DIGITS[(value >> 4) & 15];
  scratch[end++] = HEX_DIGITS[value & 15];
  scratch[at] = end - at - 1;
  return end;
}

function labelOctets(label: string): Uint8Array {
  return Uint8Array.from([label.length, ...Buffer.from(label, 'latin1')]);
}
