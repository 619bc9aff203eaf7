import { formatNameKey } from './format-indicator.ts';
import { FORM_OF_KIND, INDICATOR_KINDS, type Indicator, type IndicatorKind } from './indicator.ts';
import { type NameValue, parseNameValue } from './parse-name.ts';
import { parsePrefixValue } from './parse-prefix.ts';
import { type Rejection, type RejectionReason, reject } from './rejection.ts';
import { ownerOctets } from './trigger-owner.ts';

/** An escaped name of 255 octets takes about 1,020 characters; the rest is for kinds and comments. */
export const INDICATOR_TEXT_MAX = 4096;

/** Prefixes shorter than these need a confirmation. */
export const IPV4_LENGTH_UNCONFIRMED_MIN = 8;
export const IPV6_LENGTH_UNCONFIRMED_MIN = 16;

export interface ParseOptions {
  /**
   * Octets of the longest owner, relative to the zone and with its `*` and trigger label, that fits
   * below every origin that may hold it.
   */
  readonly ownerOctetsMax: number;
  /** Accepts public suffixes, top-level domains and short prefixes. */
  readonly confirmBroad?: boolean;
  /**
   * Accepts the root and `*`, as a wildcard with an empty key: the root's own rule would stand at
   * the apex, where a zone has SOA and NS only. Apart from `confirmBroad`, since who accepts a
   * public suffix has not accepted everything.
   */
  readonly confirmRoot?: boolean;
  /** Accepts `\DDD` and `\.` in names: for user-defined lists only. */
  readonly escapes?: boolean;
  /** Asked with a name in lower case without final dot. */
  readonly isPublicSuffix: (name: string) => boolean;
}

export type ParseResult =
  | { readonly ok: true; readonly indicators: readonly Indicator[] }
  | Rejection;

/**
 * Reads the text form of one indicator. `evil.example` is a `name`, `*.evil.example` a `wildcard`,
 * an address, prefix or range `ip`; `kind:value` names any kind. Every result is normalised: equal
 * indicators have equal keys. A range may give several.
 */
export function parseIndicator(text: string, options: ParseOptions): ParseResult {
  const trimmed = text.trim();
  if (trimmed === '') return reject('empty');
  if (trimmed.length > INDICATOR_TEXT_MAX) return reject('too-long');
  if (trimmed.includes('://')) return reject('url');
  const { kind, value } = splitKind(trimmed);
  if (kind === null) {
    if (isAddressForm(value)) return parsePrefixIndicator('ip', value, options);
    return value.includes(':') ? reject(mistakenColon(value)) : parseBareName(value, options);
  }
  if (FORM_OF_KIND[kind] === 'prefix') return parsePrefixIndicator(kind, value, options);
  return isAddressForm(value) ? reject('address-as-name') : parseNameOfKind(kind, value, options);
}

function splitKind(text: string): { readonly kind: IndicatorKind | null; readonly value: string } {
  const colon = text.indexOf(':');
  const word = text.slice(0, Math.max(colon, 0)).toLowerCase();
  const kind = INDICATOR_KINDS.find((known) => known === word);
  return kind === undefined ? { kind: null, value: text } : { kind, value: text.slice(colon + 1) };
}

/**
 * Whether a text can only be meant as an address, prefix or range: digits and their separators, or
 * two colons. No name looks like that, since none ends in a label of digits and hyphens.
 */
function isAddressForm(text: string): boolean {
  if (/^[0-9./\- \t]*$/.test(text)) return /[0-9]/.test(text);
  return text.indexOf(':') !== text.lastIndexOf(':') && !text.includes('@');
}

/**
 * What a text with a colon was meant to be: `mailto:a@b.example`, `domain:evil.example`,
 * `evil.example:443`.
 */
function mistakenColon(text: string): RejectionReason {
  if (/[ \t]/.test(text)) return 'several-words';
  if (text.includes('@')) return 'at-sign';
  return /^[a-z]+:(?!\d+$)/i.test(text) ? 'unknown-kind' : 'url';
}

function parseBareName(text: string, options: ParseOptions): ParseResult {
  const name = parseNameValue(text, options.escapes ?? false);
  if (!name.ok) return name;
  return checkName(name.wildcard ? 'wildcard' : 'name', name.key, options);
}

function parseNameOfKind(kind: IndicatorKind, text: string, options: ParseOptions): ParseResult {
  const name: NameValue | Rejection = parseNameValue(text, options.escapes ?? false);
  if (!name.ok) return name;
  return name.wildcard && kind !== 'wildcard'
    ? reject('kind-mismatch')
    : checkName(kind, name.key, options);
}

/** How broad and how long a name may be. */
function checkName(kind: IndicatorKind, key: Uint8Array, options: ParseOptions): ParseResult {
  if (key.length === 0) return checkRoot(kind, key, options);
  if (ownerOctets(kind, key) > options.ownerOctetsMax) return reject('owner-too-long');
  const isSingleLabel = key[0] + 1 === key.length;
  const isBroad = isSingleLabel || options.isPublicSuffix(formatNameKey(key));
  if (isBroad && options.confirmBroad !== true) return reject('public-suffix');
  return { ok: true, indicators: [{ kind, key }] };
}

function checkRoot(kind: IndicatorKind, key: Uint8Array, options: ParseOptions): ParseResult {
  const isExpressible = kind === 'name' || kind === 'wildcard';
  if (!isExpressible || options.confirmRoot !== true) return reject('root');
  return { ok: true, indicators: [{ kind: 'wildcard', key }] };
}

function parsePrefixIndicator(
  kind: IndicatorKind,
  text: string,
  options: ParseOptions,
): ParseResult {
  const value = parsePrefixValue(text);
  if (!value.ok) return value;
  for (const key of value.keys) {
    const refused = refusedPrefix(kind, key, options);
    if (refused !== null) return reject(refused);
  }
  return { ok: true, indicators: value.keys.map((key) => ({ kind, key })) };
}

function refusedPrefix(
  kind: IndicatorKind,
  key: Uint8Array,
  options: ParseOptions,
): RejectionReason | null {
  const [length] = key;
  if (length === 0) return 'prefix-zero';
  if (ownerOctets(kind, key) > options.ownerOctetsMax) return 'owner-too-long';
  const lengthMin = key.length === 5 ? IPV4_LENGTH_UNCONFIRMED_MIN : IPV6_LENGTH_UNCONFIRMED_MIN;
  return length < lengthMin && options.confirmBroad !== true ? 'prefix-too-short' : null;
}
