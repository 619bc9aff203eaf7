import type { Name } from '../dns/name.ts';
import { diffCatalogs } from './catalog-content.ts';
import {
  catalogRrsets,
  countCatalogRecords,
  findCatalogRrsets,
  removedCatalogRecords,
} from './catalog-records.ts';
import { countIpRecords, findIpRrsets, ipRrsets, removedIpRecords } from './ip-records.ts';
import type { PositionedRecord, RelativeRrset } from './records.ts';
import type { ZoneBody } from './snapshot.ts';

/** A body whose records are written one by one: of IP and catalog zones. Rules are encoded from sets (rpz-encode.ts). */
export type PlainBody = Exclude<ZoneBody, { readonly kind: 'rpz' }>;

/** All RRsets below the apex, in a fixed order. */
export function plainRrsets(body: PlainBody, origin: Name): Iterable<RelativeRrset> {
  return body.kind === 'ip'
    ? ipRrsets(body.content, origin, body.ttl)
    : catalogRrsets(body.content, body.ttl);
}

/** Resource records below the apex. */
export function countPlainRecords(body: PlainBody): number {
  return body.kind === 'ip'
    ? countIpRecords(body.content).records
    : countCatalogRecords(body.content);
}

/** Records below the apex that `before` has and `after` has not. */
export function removedPlainRecords(
  before: PlainBody,
  after: PlainBody,
  origin: Name,
): Iterable<PositionedRecord> {
  if (before.kind === 'ip' && after.kind === 'ip') {
    return removedIpRecords(before.content, after.content, origin, after.ttl);
  }
  if (before.kind === 'catalog' && after.kind === 'catalog') {
    return removedCatalogRecords(diffCatalogs(before.content, after.content), after.ttl);
  }
  throw new Error(`a zone of kind ${before.kind} does not become one of kind ${after.kind}`);
}

/** The RRsets at a name below the apex, `empty` for a name that only others lie below, or null. */
export function findPlainRrsets(
  body: PlainBody,
  labels: Uint8Array,
  origin: Name,
): readonly RelativeRrset[] | 'empty' | null {
  return body.kind === 'ip'
    ? findIpRrsets(body.content, labels, origin, body.ttl)
    : findCatalogRrsets(body.content, labels, body.ttl);
}
