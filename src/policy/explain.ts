import { type Catalogue, NONE } from '../indicators/catalogue.ts';
import { hasId } from '../indicators/id-set.ts';
import type { Indicator, MemberForm } from '../indicators/indicator.ts';
import { type Member, TIERS } from './members.ts';

/** An indicator of a member that covers a query. */
export interface Cover extends CoveringOwner {
  readonly indicator: Indicator;
  readonly member: Member;
}

/** What is asked: labels in wire form, lower case, without root octet; or an address or prefix in words. */
export type CoverQuery =
  | { readonly trigger: 'qname' | 'nsdname'; readonly labels: Uint8Array }
  | {
      readonly trigger: 'ip' | 'nsip' | 'client-ip';
      readonly words: Uint32Array;
      readonly length: number;
    };

/**
 * All covers, the deciding one first: by tier, then the more specific, then as members are ordered.
 * `holds` says whether a member holds an owner, now unless told otherwise.
 */
export function findCovers(
  catalogue: Catalogue,
  members: readonly Member[],
  query: CoverQuery,
  holds = ({ sets }: Member, { id, form }: CoveringOwner) => hasId(sets[form], id),
): Cover[] {
  const found: { cover: Cover; tier: number; step: number; order: number }[] = [];
  for (const [step, owner] of coveringOwners(catalogue, query).entries()) {
    const { id, form } = owner;
    for (const [order, member] of members.entries()) {
      if (!holds(member, owner)) continue;
      const cover = { id, form, indicator: catalogue.indicator(id, form), member };
      found.push({ cover, tier: TIERS.indexOf(member.tier), step, order });
    }
  }
  return found
    .sort((a, b) => a.tier - b.tier || a.step - b.step || a.order - b.order)
    .map(({ cover }) => cover);
}

/** Where a covering indicator stands in the catalogue. */
export interface CoveringOwner {
  readonly id: number;
  readonly form: MemberForm;
}

/** Where a covering indicator can be, the most specific first. */
export function coveringOwners(catalogue: Catalogue, query: CoverQuery): CoveringOwner[] {
  return 'words' in query ? coveringPrefixes(catalogue, query) : coveringNames(catalogue, query);
}

const NSDNAME_SUFFIX = Uint8Array.from([11, ...Buffer.from('rpz-nsdname', 'latin1')]);
const ADDRESS_KIND = { ip: 'ip', nsip: 'nsip', 'client-ip': 'clientip' } as const;

/** The owner at which a rule for this very name stands: labels in wire form, relative to the zone. */
export function ownerOfName({
  trigger,
  labels,
}: Extract<CoverQuery, { labels: Uint8Array }>): Uint8Array {
  return trigger === 'nsdname' ? Uint8Array.from([...labels, ...NSDNAME_SUFFIX]) : labels;
}

function coveringNames(
  catalogue: Catalogue,
  query: Extract<CoverQuery, { labels: Uint8Array }>,
): CoveringOwner[] {
  const { trigger, labels } = query;
  const owner = ownerOfName(query);
  const covering: CoveringOwner[] = [];
  for (let from = 0; from < labels.length; from += labels[from] + 1) {
    const id = catalogue.findOwner(owner, from, owner.length);
    if (id === NONE) continue;
    covering.push({ id, form: from === 0 ? 'exact' : 'below' }, { id, form: 'subtree' });
  }
  const root = catalogue.findOwner(owner, owner.length, owner.length);
  if (trigger === 'qname' && root !== NONE) covering.push({ id: root, form: 'below' });
  return covering;
}

/** The prefixes of the catalogue that contain the address, the longest first. */
export function coveringPrefixes(
  catalogue: Catalogue,
  { trigger, words, length }: Extract<CoverQuery, { words: Uint32Array }>,
): CoveringOwner[] {
  const covering: CoveringOwner[] = [];
  let id = catalogue.containingPrefix(ADDRESS_KIND[trigger], words, length);
  for (; id !== NONE; id = catalogue.parent(id)) covering.push({ id, form: 'prefix' });
  return covering;
}
