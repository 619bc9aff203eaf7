/**
 * Zones as renderings of verdicts: an RPZ zone is a partition of the catalogue's owners by what
 * stands at them, an IP zone a list of prefixes in canonical pages. Both know their exact difference
 * from one serial to the next.
 *
 * Here: compiling from nothing and by what changed, records, counts, encoding of rules for
 * transfers, serials, revisions. Not here: when a new serial is made and stored (publish/), who gets
 * which records and in which messages (nameserver/).
 */
export { type ActionTable, createActionTable } from './action-table.ts';
export { apexRrsets, countApexRecords, ipAddresses, soaRrset, type ZoneApex } from './apex.ts';
export {
  type CatalogContent,
  type CatalogDiff,
  type CatalogMember,
  catalogOf,
  EMPTY_CATALOG,
} from './catalog-content.ts';
export { bodyAt, diffSince, digestAt } from './content-at.ts';
export { diffBodies, emptyBody, hasSameForm, ttlOf } from './diff-bodies.ts';
export { compileIp, diffIp, IP_ACTION, IP_SIDES, type IpSide } from './ip-compile.ts';
export {
  applyIpDiff,
  composeIpDiffs,
  type IpContent,
  type IpDiff,
  invertIpDiff,
} from './ip-content.ts';
export { applyPrefixDiff, type PrefixPage, type PrefixPages, pagesOf } from './ip-pages.ts';
export { countIpRecords, findIpRrsets, ipRrsets, removedIpRecords } from './ip-records.ts';
export { nextSerial } from './next-serial.ts';
export {
  type CompiledPolicy,
  compilePolicy,
  type PolicyDiff,
  updatePolicy,
} from './policy-zones.ts';
export { type PositionedRecord, type RelativeRrset, recordsOf } from './records.ts';
export { decodeRevision, encodeRevision } from './revision-codec.ts';
export { compileRpz, diffRpz } from './rpz-compile.ts';
export {
  applyRpzDiff,
  composeRpzDiffs,
  invertRpzDiff,
  type RpzContent,
  type RpzDiff,
  type RpzState,
} from './rpz-content.ts';
export { encodeRules, RPZ_START, type RpzCursor } from './rpz-encode.ts';
export { countRules, findRule, removedRecords } from './rpz-records.ts';
export { createRenderings, createRpzRendering, type RpzRendering } from './rpz-rendering.ts';
export {
  type PolicySide,
  type Revision,
  revisionsSince,
  sideOf,
  type ZoneBody,
  type ZoneSettings,
  type ZoneSide,
  type ZoneSnapshot,
} from './snapshot.ts';
export { recordLines, sampleLines, type ZoneTextSource, zoneText } from './zone-text.ts';
