import { parseName } from '../dns/name.ts';
import { hashLabel } from '../dns/name-hash.ts';
import { encodeRdata } from '../dns/rdata.ts';
import { RRTYPE } from '../dns/registry.ts';
import type { CatalogContent, CatalogDiff, CatalogMember } from './catalog-content.ts';
import {
  joinLabels,
  label,
  octetKey,
  type PositionedRecord,
  type RelativeRrset,
  recordsOf,
} from './records.ts';

const VERSION_LABEL = label('version');
const ZONES_LABEL = label('zones');
const GROUP_LABEL = label('group');
const OWNERSHIP_LABEL = label('coo');

/** RFC 9432 section 4.2.1: the schema version of catalog zones as this document has them. */
const SCHEMA_VERSION = '2';

/** All RRsets below the apex: the version, then member by member. */
export function* catalogRrsets(content: CatalogContent, ttl: number): Generator<RelativeRrset> {
  yield textRrset(VERSION_LABEL, SCHEMA_VERSION, ttl);
  for (const member of content.members) yield* memberRrsets(member, ttl);
}

/** Resource records below the apex. */
export function countCatalogRecords({ members }: CatalogContent): number {
  return 1 + countMembers(members);
}

/** Records that go, as far as they do not come again with a member's other properties. */
export function* removedCatalogRecords(
  { removed, added }: CatalogDiff,
  ttl: number,
): Generator<PositionedRecord> {
  const kept = new Set<string>();
  for (const record of recordsOfMembers(added, ttl)) kept.add(recordKey(record));
  for (const record of recordsOfMembers(removed, ttl)) {
    if (!kept.has(recordKey(record))) yield record;
  }
}

/** The RRsets at a name below the apex, `empty` for a name that only others lie below, or null. */
export function findCatalogRrsets(
  content: CatalogContent,
  labels: Uint8Array,
  ttl: number,
): readonly RelativeRrset[] | 'empty' | null {
  const key = octetKey(labels);
  if (key === octetKey(VERSION_LABEL)) return [textRrset(VERSION_LABEL, SCHEMA_VERSION, ttl)];
  return nodesOf(content, ttl).get(key) ?? null;
}

/** A content never changes; whoever walks through a catalog by queries asks for one name after another. */
const nodesOfContent = new WeakMap<
  CatalogContent,
  { readonly ttl: number; readonly nodes: Nodes }
>();

type Nodes = ReadonlyMap<string, readonly RelativeRrset[] | 'empty'>;

function nodesOf(content: CatalogContent, ttl: number): Nodes {
  const known = nodesOfContent.get(content);
  if (known?.ttl === ttl) return known.nodes;
  const nodes = new Map<string, readonly RelativeRrset[] | 'empty'>();
  for (const rrset of content.members.flatMap((member) => memberRrsets(member, ttl))) {
    const { labels } = rrset;
    nodes.set(octetKey(labels), [rrset]);
    for (let at = labels[0] + 1; at < labels.length; at += labels[at] + 1) {
      const above = octetKey(labels.subarray(at));
      if (!nodes.has(above)) nodes.set(above, 'empty');
    }
  }
  nodesOfContent.set(content, { ttl, nodes });
  return nodes;
}

/** A member never changes, and is written again with every change of a catalog. */
function memberRrsets(member: CatalogMember, ttl: number): readonly RelativeRrset[] {
  const known = rrsetsOfMember.get(member);
  if (known?.ttl === ttl) return known.rrsets;
  const rrsets = [...makeRrsets(member, ttl)];
  rrsetsOfMember.set(member, { ttl, rrsets });
  return rrsets;
}

const rrsetsOfMember = new WeakMap<
  CatalogMember,
  { readonly ttl: number; readonly rrsets: readonly RelativeRrset[] }
>();

/**
 * RFC 9432 section 4.1: `<unique-N>.zones PTR <member>`, and properties below. The unique label stands for the
 * member's name, so that it stays as long as the member does (section 5.4: another one would make
 * consumers start with the zone from nothing).
 */
function* makeRrsets(member: CatalogMember, ttl: number): Generator<RelativeRrset> {
  const { group, newOwner } = member;
  const origin = parseName(member.origin);
  const node = joinLabels(label(hashLabel(origin)), ZONES_LABEL);
  yield { labels: node, type: RRTYPE.PTR, ttl, rdatas: [origin] };
  yield textRrset(joinLabels(GROUP_LABEL, node), group, ttl);
  if (newOwner !== null) {
    const labels = joinLabels(OWNERSHIP_LABEL, node);
    yield { labels, type: RRTYPE.PTR, ttl, rdatas: [parseName(newOwner)] };
  }
}

function textRrset(labels: Uint8Array, text: string, ttl: number): RelativeRrset {
  const rdata = encodeRdata({ type: 'TXT', strings: [Buffer.from(text, 'latin1')] });
  return { labels, type: RRTYPE.TXT, ttl, rdatas: [rdata] };
}

function* recordsOfMembers(
  members: readonly CatalogMember[],
  ttl: number,
): Generator<PositionedRecord> {
  for (const member of members) {
    for (const rrset of memberRrsets(member, ttl)) yield* recordsOf(rrset);
  }
}

function recordKey({ labels, tail }: PositionedRecord): string {
  return `${octetKey(labels)} ${octetKey(tail)}`;
}

/** A PTR and a TXT, and a PTR more for who has a new owner. */
function countMembers(members: readonly CatalogMember[]): number {
  return members.reduce((count, { newOwner }) => count + (newOwner === null ? 2 : 3), 0);
}
