import { FORM_OF_KIND, type IndicatorKind } from './indicator.ts';
import { prefixOwner } from './trigger-owner.ts';

export type AddressKind = 'ip' | 'nsip' | 'clientip';
export const ADDRESS_KINDS: readonly AddressKind[] = ['ip', 'nsip', 'clientip'];

const OWNER_OCTETS_MAX = 255;
export const NSDNAME_LABEL = labelOctets('rpz-nsdname');

const ownerScratch = new Uint8Array(OWNER_OCTETS_MAX);

/** The owner's labels; a view of a scratch buffer for `nsname`. */
export function ownerOf(kind: IndicatorKind, key: Uint8Array): Uint8Array {
  if (FORM_OF_KIND[kind] === 'prefix') return prefixOwner(kind as AddressKind, key);
  if (kind !== 'nsname') return key;
  ownerScratch.set(key);
  ownerScratch.set(NSDNAME_LABEL, key.length);
  return ownerScratch.subarray(0, key.length + NSDNAME_LABEL.length);
}

export const NO_OCTETS = new Uint8Array(0);

export function endsWith(owner: Uint8Array, label: Uint8Array): boolean {
  const start = owner.length - label.length;
  return start > 0 && isOctets(owner, start, owner.length, label);
}

export function isOctets(
  source: Uint8Array,
  from: number,
  to: number,
  octets: Uint8Array,
): boolean {
  if (to - from !== octets.length) return false;
  for (let index = 0; index < octets.length; index++) {
    if (source[from + index] !== octets[index]) return false;
  }
  return true;
}

function labelOctets(label: string): Uint8Array {
  return Uint8Array.from([label.length, ...Buffer.from(label, 'latin1')]);
}
