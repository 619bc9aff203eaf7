import { lowerCaseName, type Name, relativeLabels } from '../dns/name.ts';
import { RRTYPE } from '../dns/registry.ts';
import { apexRrsets, soaRrset } from '../zone/apex.ts';
import { findPlainRrsets } from '../zone/plain-records.ts';
import type { RelativeRrset } from '../zone/records.ts';
import { findRule } from '../zone/rpz-records.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import { checkName } from './check-name.ts';
import type { Directory } from './directory-port.ts';

/** What a zone says to a question. Owners are the name that was asked for. */
export type Found =
  | { readonly kind: 'answer'; readonly rrsets: readonly RelativeRrset[] }
  /** The name is there, the type is not (RFC 2308 section 2.2). */
  | { readonly kind: 'no-data' }
  | { readonly kind: 'no-name' };

const NO_DATA: Found = { kind: 'no-data' };
const NO_NAME: Found = { kind: 'no-name' };

/** Answers from one snapshot (RFC 1034 section 4.3.2, with no delegations and no additional data). */
export function findAnswer(
  zone: ZoneSnapshot,
  name: Name,
  type: number,
  directory: Directory,
): Found {
  const isApex = name.length === zone.settings.origin.length;
  if (isApex && type === RRTYPE.SOA) {
    // The question that every device repeats: nothing else of the apex is made for it.
    return { kind: 'answer', rrsets: [soaRrset(zone.settings, zone.serial)] };
  }
  const node = findNode(zone, name, directory);
  if (node === 'empty') return NO_DATA;
  if (node === 'absent') return NO_NAME;
  return selectType(node, type);
}

function findNode(
  zone: ZoneSnapshot,
  name: Name,
  directory: Directory,
): readonly RelativeRrset[] | 'empty' | 'absent' {
  const { settings, serial, body } = zone;
  const labels = relativeLabels(lowerCaseName(name), settings.origin);
  if (labels === null) return 'absent';
  if (labels.length === 0) return [soaRrset(settings, serial), ...apexRrsets(zone)];
  if (body.kind === 'rpz') {
    const { content, rendering } = body;
    const node = findRule({ catalogue: directory.catalogue, content, rendering, labels });
    return node.kind === 'rrsets' ? node.rrsets : node.kind;
  }
  return (
    checkName(zone, labels, directory) ?? findPlainRrsets(body, labels, settings.origin) ?? 'absent'
  );
}

function selectType(rrsets: readonly RelativeRrset[], type: number): Found {
  if (type === RRTYPE.ANY) {
    // RFC 8482 section 4.1: one RRset of those that are there is a full answer.
    return { kind: 'answer', rrsets: rrsets.slice(0, 1) };
  }
  // RFC 1034 section 3.6.2: a CNAME answers every type. Its target lies in no zone of ours.
  const found = rrsets.filter((rrset) => rrset.type === type || rrset.type === RRTYPE.CNAME);
  return found.length > 0 ? { kind: 'answer', rrsets: found } : NO_DATA;
}
