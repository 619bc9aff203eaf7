import { type Catalogue, NONE } from '../../indicators/catalogue.ts';
import { hasId, type IdSet } from '../../indicators/id-set.ts';
import type { IndicatorKind } from '../../indicators/indicator.ts';
import type { MemberSets } from '../../policy/member-sets.ts';

/** `rpz-nsdname` as a wire label: the node of the catalogue that all nsname owners are below. */
const NSDNAME_LABEL = Uint8Array.of(11, ...new TextEncoder().encode('rpz-nsdname'));

/**
 * The kinds of indicators that `members` hold. Name server and client triggers are few in any
 * catalogue, so they are what is walked; the rest follows from the sizes of the sets.
 */
export function memberKinds(catalogue: Catalogue, members: MemberSets): ReadonlySet<IndicatorKind> {
  const nsnames = countNsnames(catalogue, members.subtree);
  const nsips = countPrefixes(catalogue, 'nsip', members.prefix);
  const clientips = countPrefixes(catalogue, 'clientip', members.prefix);
  const counts: Readonly<Record<IndicatorKind, number>> = {
    name: members.subtree.size - nsnames,
    host: members.exact.size,
    wildcard: members.below.size,
    ip: members.prefix.size - nsips - clientips,
    nsname: nsnames,
    nsip: nsips,
    clientip: clientips,
  };
  const kinds = Object.keys(counts) as IndicatorKind[];
  return new Set(kinds.filter((kind) => counts[kind] > 0));
}

function countNsnames(catalogue: Catalogue, subtree: IdSet): number {
  const node = catalogue.findOwner(NSDNAME_LABEL, 0, NSDNAME_LABEL.length);
  if (node === NONE || subtree.size === 0) return 0;
  let count = 0;
  catalogue.visitDescendants(node, (id) => {
    if (hasId(subtree, id)) count++;
    return true;
  });
  return count;
}

function countPrefixes(catalogue: Catalogue, kind: 'nsip' | 'clientip', prefix: IdSet): number {
  if (prefix.size === 0) return 0;
  let count = 0;
  for (const family of [4, 6] as const) {
    const order = catalogue.order(kind, family);
    for (let position = 0; position < order.count; position++) {
      if (hasId(prefix, order.at(position))) count++;
    }
  }
  return count;
}
