import type { Brand } from '../dns/brand.ts';

/** What an indicator matches; the order is the number a kind has in packed buffers. */
export const INDICATOR_KINDS = [
  'name',
  'host',
  'wildcard',
  'ip',
  'nsname',
  'nsip',
  'clientip',
] as const;
export type IndicatorKind = (typeof INDICATOR_KINDS)[number];

/**
 * How a member covers queries, which is what policy resolution asks about:
 * `subtree` the owner and all below it, `exact` the owner alone, `below` only what is below it,
 * `prefix` the addresses of an IP prefix.
 */
export type MemberForm = 'subtree' | 'exact' | 'below' | 'prefix';
export const MEMBER_FORMS: readonly MemberForm[] = ['subtree', 'exact', 'below', 'prefix'];

export const FORM_OF_KIND: Readonly<Record<IndicatorKind, MemberForm>> = {
  name: 'subtree',
  host: 'exact',
  wildcard: 'below',
  ip: 'prefix',
  nsname: 'subtree',
  nsip: 'prefix',
  clientip: 'prefix',
};

/** The dense number of an owner in the catalogue: stable while the process runs and in its database. */
export type IndicatorId = Brand<number, 'IndicatorId'>;

/**
 * One normalised indicator. `key` depends on the kind:
 * - `name`, `host`, `wildcard`, `nsname`: the name's labels in wire form, lower case, without the
 *   final root octet and without the `*` label (`wildcard`) or the trigger label (`nsname`);
 * - `ip`, `nsip`, `clientip`: prefix length (1 octet), then the network address (4 or 16 octets)
 *   with its host bits zero.
 */
export interface Indicator {
  readonly kind: IndicatorKind;
  readonly key: Uint8Array;
}

/** Many indicators as three buffers, cheap to move between threads. */
export interface PackedIndicators {
  readonly count: number;
  /** Index into INDICATOR_KINDS, one octet per indicator. */
  readonly kinds: Uint8Array;
  /** Offset in `keys` where the key of indicator i ends. */
  readonly ends: Uint32Array;
  readonly keys: Uint8Array;
}
