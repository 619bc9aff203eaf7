import { formatIpv4, formatIpv6 } from '../dns/address.ts';
import type { IndicatorKind } from './indicator.ts';

/**
 * The text form of an indicator, which `parseIndicator` (with escapes and confirmation) reads back
 * to the same kind and key: names, wildcards and addresses bare, every other kind as `kind:value`.
 */
export function formatIndicator(kind: IndicatorKind, key: Uint8Array): string {
  switch (kind) {
    case 'name':
      return formatNameKey(key);
    case 'wildcard':
      return key.length === 0 ? '*' : `*.${formatNameKey(key)}`;
    case 'ip':
      return formatPrefixKey(key);
    case 'host':
    case 'nsname':
      return `${kind}:${formatNameKey(key)}`;
    case 'nsip':
    case 'clientip':
      return `${kind}:${formatPrefixKey(key)}`;
  }
}

/** Labels with dots between them; every octet outside letters, digits, `-` and `_` as an escape. */
export function formatNameKey(key: Uint8Array): string {
  if (key.length === 0) return '.';
  let text = '';
  for (let at = 0; at < key.length; at += 1 + key[at]) {
    if (at > 0) text += '.';
    for (let index = 1; index <= key[at]; index++) text += TEXT_OF_OCTET[key[at + index]];
  }
  return text;
}

/** An address, with its prefix length when that is not the whole address. */
export function formatPrefixKey(key: Uint8Array): string {
  const address = key.subarray(1);
  const text = address.length === 4 ? formatIpv4(address) : formatIpv6(address);
  return key[0] === address.length * 8 ? text : `${text}/${key[0]}`;
}

const TEXT_OF_OCTET = Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  if (/[a-z0-9_-]/.test(character)) return character;
  return character === '.' ? '\\.' : `\\${String(octet).padStart(3, '0')}`;
});
