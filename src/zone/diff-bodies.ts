import { diffCatalogs, EMPTY_CATALOG, isEmptyCatalogDiff } from './catalog-content.ts';
import { EMPTY_IP, type IpContent, type IpDiff, isEmptyIpDiff } from './ip-content.ts';
import { diffPages } from './ip-pages.ts';
import { diffPrefixRows } from './prefix-rows.ts';
import { diffRpzContents } from './rpz-content.ts';
import type { Revision, ZoneBody } from './snapshot.ts';

/**
 * The difference between any two bodies of one kind and TTL, by looking at both: for zones that
 * change what they carry, and for policies that are rolled back. Null when there is none.
 */
export function diffBodies(before: ZoneBody, after: ZoneBody): Revision['diff'] | null {
  if (before.kind === 'rpz' && after.kind === 'rpz') {
    const moves = diffRpzContents(before.content, after.content);
    return moves.length === 0 ? null : { kind: 'rpz', moves };
  }
  if (before.kind === 'ip' && after.kind === 'ip') {
    const lists = diffIpContents(before.content, after.content);
    return isEmptyIpDiff(lists) ? null : { kind: 'ip', lists };
  }
  if (before.kind === 'catalog' && after.kind === 'catalog') {
    const members = diffCatalogs(before.content, after.content);
    return isEmptyCatalogDiff(members) ? null : { kind: 'catalog', members };
  }
  throw new Error(`a zone of kind ${before.kind} does not become one of kind ${after.kind}`);
}

/** The body with nothing in it: what a device without a policy is served. */
export function emptyBody(body: ZoneBody): ZoneBody {
  switch (body.kind) {
    case 'rpz':
      return { ...body, content: new Map() };
    case 'ip':
      return { ...body, content: EMPTY_IP };
    case 'catalog':
      return { ...body, content: EMPTY_CATALOG };
  }
}

/** Whether records that both have are the same to the octet: else everything in the zone differs. */
export function hasSameForm(before: ZoneBody, after: ZoneBody): boolean {
  return before.kind === after.kind && ttlOf(before) === ttlOf(after);
}

export function ttlOf(body: ZoneBody): number {
  return body.kind === 'rpz' ? body.rendering.ttl : body.ttl;
}

/** The difference between two contents, by looking at all of both. */
export function diffIpContents(before: IpContent, after: IpContent): IpDiff {
  return {
    v4: diffPages(before.v4, after.v4, 1),
    v6: diffPages(before.v6, after.v6, 4),
    hosts4: diffPrefixRows(before.hosts.v4, after.hosts.v4),
    hosts6: diffPrefixRows(before.hosts.v6, after.hosts.v6),
    leftOut: after.hosts.leftOut - before.hosts.leftOut,
  };
}
