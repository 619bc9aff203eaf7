/**
 * What can be hostile, and where it is kept: indicators as people and feeds write them, normalised,
 * and the catalogue that gives each distinct owner one dense number and knows what covers what.
 *
 * Here: parsing, normalising, rejecting; sets of ids; the label tree and the order of prefixes. Not
 * here: who holds which indicator and what that means (policy/), how it is written into a zone
 * (zone/).
 */
export { Catalogue, type IdsByForm, NONE } from './catalogue.ts';
export { formatIndicator } from './format-indicator.ts';
export {
  EMPTY_IDS,
  hasId,
  type IdSet,
  idSetOctets,
  idSetOf,
  idsOf,
  intersectIds,
  subtractIds,
  symmetricDifferenceIds,
  unionIds,
  visitIds,
  withIds,
} from './id-set.ts';
export { decodeIdSet, decodeIds, encodeIds, idSetFrom } from './id-set-codec.ts';
export {
  FORM_OF_KIND,
  INDICATOR_KINDS,
  type Indicator,
  type IndicatorId,
  type IndicatorKind,
  MEMBER_FORMS,
  type MemberForm,
  type PackedIndicators,
} from './indicator.ts';
export { packIndicators } from './pack-indicators.ts';
export { type ParseOptions, parseIndicator } from './parse-indicator.ts';
export type { PrefixOrder } from './prefix-order.ts';
export { readIndicatorLines } from './read-lines.ts';
export type { RejectionReason } from './rejection.ts';
