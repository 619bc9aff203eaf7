import { inCanonicalOrder } from './canonical-order.ts';
import { EMPTY_IDS, type IdSet, idsOf, isSubset, unionIds, withIds } from './id-set.ts';
import { decodeIdSet, encodeIds } from './id-set-codec.ts';
import { collectByForm, type IdsByForm } from './ids-by-form.ts';
import {
  FORM_OF_KIND,
  type Indicator,
  type IndicatorKind,
  type MemberForm,
  type PackedIndicators,
} from './indicator.ts';
import type { ImageReader, ImageWriter } from './memory-image.ts';
import { hashSuffixes, suffixHash, suffixStart } from './name-suffixes.ts';
import { IS_INDICATOR, OwnerColumns, SPACE_BITS } from './owner-columns.ts';
import { hashOwner, NONE, OwnerIndex } from './owner-index.ts';
import {
  ADDRESS_KINDS,
  type AddressKind,
  endsWith,
  isOctets,
  NO_OCTETS,
  NSDNAME_LABEL,
  ownerOf,
} from './owner-of.ts';
import { OwnerSlab } from './owner-slab.ts';
import type { PrefixOrder } from './prefix-order.ts';
import { PrefixTree } from './prefix-tree.ts';
import { prefixOwner } from './trigger-owner.ts';

export type { IdsByForm } from './ids-by-form.ts';
export { NONE } from './owner-index.ts';

/** Looked at in one step of an image. */
const IDS_A_STEP = 16_384;
/** Lists above this make room in the index before they come in, and come in in the order of a zone. */
const RESERVE_MIN = 10_000;

/**
 * Every distinct owner of the system under one dense id.
 *
 * Names form the tree of their labels; empty nodes in between have ids of their own, so that zone
 * rendering and answers can walk it. The owners of address triggers are linked by containment of
 * their prefixes instead. `parent` is the label above or the nearest containing prefix. An owner is
 * never removed while the process runs.
 */
export class Catalogue {
  /** Owners that are indicators and have an indicator above them: those whose verdict can be inherited. */
  nested: IdSet = EMPTY_IDS;

  private readonly slab = new OwnerSlab();
  private readonly index = new OwnerIndex(this.slab);
  private readonly columns = new OwnerColumns();
  private readonly prefixes = new PrefixTree(this.columns);
  private firstTop = NONE;
  /** Indicators that an image said were such, so that those of a start need not be looked at one by one. */
  private imaged: IdSet = EMPTY_IDS;
  /** The owner without labels, once `*` is an indicator: from then on it is above every name. */
  private root = NONE;

  get count(): number {
    return this.slab.count;
  }

  /** Gives every indicator an id, making owners and the nodes above them as needed. */
  intern(packed: PackedIndicators): IdsByForm {
    const fresh: number[] = [];
    const isLarge = packed.count > RESERVE_MIN;
    if (isLarge) this.index.reserve(packed.count);
    const found = collectByForm(
      isLarge ? inCanonicalOrder(packed) : packed,
      (kind, keys, from, to) => {
        const id = isName(kind)
          ? this.internName(keys, from, to)
          : this.internOwner(kind, keys.subarray(from, to));
        if ((this.columns.traits[id] & IS_INDICATOR) === 0) {
          this.columns.traits[id] |= IS_INDICATOR;
          fresh.push(id);
        }
        return id;
      },
    );
    this.prefixes.settle();
    this.markNested(fresh);
    return found;
  }

  /** Ids of those indicators that have one. */
  lookup(packed: PackedIndicators): IdsByForm {
    return collectByForm(packed, (kind, keys, from, to) => {
      if (isName(kind)) return this.findOwner(keys, from, to);
      const owner = ownerOf(kind, keys.subarray(from, to));
      return this.findOwner(owner, 0, owner.length);
    });
  }

  /** The id of the owner whose labels (lower case, no root octet) are `source[from, to)`, or NONE. */
  findOwner(source: Uint8Array, from: number, to: number): number {
    return this.index.find(source, from, to, hashOwner(source, from, to));
  }

  /** Says that the ids of these sets are indicators: for members that come from the database. */
  markIndicators(sets: readonly IdSet[]): void {
    const ids = sets.filter((set) => !isSubset(set, this.imaged)).reduce(unionIds, EMPTY_IDS);
    const fresh: number[] = [];
    for (const id of idsOf(ids)) {
      if ((this.columns.traits[id] & IS_INDICATOR) !== 0) continue;
      this.columns.traits[id] |= IS_INDICATOR;
      fresh.push(id);
    }
    this.markNested(fresh);
  }

  isPrefix(id: number): boolean {
    return (this.columns.traits[id] & SPACE_BITS) !== 0;
  }

  /** The label above, or the nearest containing prefix; NONE at the top. */
  parent(id: number): number {
    return this.columns.parents[id];
  }

  /** Names only. */
  firstChild(id: number): number {
    return this.columns.linkA[id];
  }

  /** Names only. */
  nextSibling(id: number): number {
    return this.columns.linkB[id];
  }

  ownerBlock(id: number): Uint8Array {
    return this.slab.block(id);
  }

  ownerOffset(id: number): number {
    return this.slab.offset(id);
  }

  ownerLength(id: number): number {
    return this.slab.length(id);
  }

  /** The owner's labels in wire form, relative to the zone, without the root octet. A view: do not change. */
  owner(id: number): Uint8Array {
    return this.slab.bytes(id);
  }

  order(kind: AddressKind, family: 4 | 6): PrefixOrder {
    return this.prefixes.order(kind, family);
  }

  prefixLength(id: number): number {
    return this.columns.linkB[id];
  }

  prefixFamily(id: number): 4 | 6 {
    return this.prefixes.family(id);
  }

  prefixKind(id: number): AddressKind {
    return this.prefixes.kind(id);
  }

  /** Writes the network address of a prefix into `words` (1 or 4 of them). */
  prefixWords(id: number, words: Uint32Array): void {
    this.prefixes.words(id, words);
  }

  /** The nearest prefix that contains the given one or is it, or NONE. */
  containingPrefix(kind: AddressKind, words: Uint32Array, length: number): number {
    return this.prefixes.containing(kind, words, length);
  }

  /** Visits all owners below this one, the nearer first; `visit` says whether to go on below what it saw. */
  visitDescendants(id: number, visit: (id: number) => boolean): void {
    if (this.isPrefix(id)) this.prefixes.visitContained(id, visit);
    else this.visitLabelsBelow(id, visit);
  }

  /** Whether there is any owner below this one. */
  hasOwnersBelow(id: number): boolean {
    return this.isPrefix(id) ? this.prefixes.hasContained(id) : this.firstChild(id) !== NONE;
  }

  /** Whether `holds` is true of some name below this one; stops at the first. Names only. */
  someDescendant(id: number, holds: (id: number) => boolean): boolean {
    const open = [this.firstChild(id)];
    while (open.length > 0) {
      for (let child = open.pop()!; child !== NONE; child = this.columns.linkB[child]) {
        if (holds(child)) return true;
        if (this.columns.linkA[child] !== NONE) open.push(this.columns.linkA[child]);
      }
    }
    return false;
  }

  /** The indicator that an id and a form stand for. */
  indicator(id: number, form: MemberForm): Indicator {
    if (this.isPrefix(id)) return { kind: this.prefixKind(id), key: this.prefixes.key(id) };
    const owner = this.owner(id);
    if (form === 'subtree' && endsWith(owner, NSDNAME_LABEL)) {
      return { kind: 'nsname', key: owner.subarray(0, owner.length - NSDNAME_LABEL.length) };
    }
    const kinds = { subtree: 'name', exact: 'host', below: 'wildcard', prefix: 'ip' } as const;
    return { kind: kinds[form], key: owner };
  }

  /**
   * Owners with ids from `from` up to `to` for the database: per owner its space (1 octet), the length of its key
   * (1 octet) and its key (a name's labels, or a prefix as in packed indicators).
   */
  encodeOwners(from: number, to = this.count): Uint8Array {
    let octets = 0;
    for (let id = from; id < to; id++) octets += 2 + this.storedKeyLength(id);
    const bytes = new Uint8Array(octets);
    let at = 0;
    for (let id = from; id < to; id++) {
      bytes[at++] = this.columns.traits[id] & SPACE_BITS;
      bytes[at++] = this.storedKeyLength(id);
      at = this.isPrefix(id)
        ? this.prefixes.writeKey(id, bytes, at)
        : this.slab.copy(id, bytes, at);
    }
    return bytes;
  }

  /** Adds owners in the order in which `encodeOwners` wrote them. Throws when they do not fit together. */
  decodeOwners(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const space = bytes[at];
      const to = at + 2 + bytes[at + 1];
      const expected = this.count;
      const id =
        space === 0
          ? this.internName(bytes, at + 2, to)
          : this.internPrefix(ADDRESS_KINDS[(space - 1) >> 1], bytes.subarray(at + 2, to));
      if (id !== expected)
        throw new Error(`owner ${expected} of the database is stored twice or out of order`);
      at = to;
    }
    this.prefixes.settle();
  }

  /**
   * All of it as it lies in memory, so that a start need not make it anew. In steps of a millisecond or
   * so; nobody may change it before the last one.
   */
  *writeImage(image: ImageWriter): Generator<void> {
    this.slab.writeImage(image);
    yield* this.index.writeImage(image);
    this.columns.writeImage(image, this.count);
    this.prefixes.writeImage(image);
    image.number(this.firstTop);
    image.number(this.root);
    image.array(encodeIds(this.nested), 'stays');
    image.array(encodeIds(yield* this.indicators()), 'stays');
  }

  /** What `writeImage` wrote. Throws when it does not fit together, and then is of no use. */
  static fromImage(image: ImageReader): Catalogue {
    const catalogue = new Catalogue();
    catalogue.readImage(image);
    return catalogue;
  }

  private readImage(image: ImageReader): void {
    this.slab.readImage(image);
    this.index.readImage(image);
    this.columns.readImage(image, this.count);
    this.prefixes.readImage(image);
    this.firstTop = image.number();
    this.root = image.number();
    this.nested = decodeIdSet(image.octets()).set;
    this.imaged = decodeIdSet(image.octets()).set;
  }

  private *indicators(): Generator<void, IdSet> {
    let indicators = EMPTY_IDS;
    for (let from = 0; from < this.count; from += IDS_A_STEP) {
      const to = Math.min(this.count, from + IDS_A_STEP);
      const ids: number[] = [];
      for (let id = from; id < to; id++)
        if ((this.columns.traits[id] & IS_INDICATOR) !== 0) ids.push(id);
      indicators = withIds(indicators, ids, []);
      yield;
    }
    return indicators;
  }

  /** Memory held, in octets. */
  octets(): number {
    return (
      this.slab.octets() + this.index.octets() + this.columns.octets() + this.prefixes.octets()
    );
  }

  private internOwner(kind: IndicatorKind, key: Uint8Array): number {
    if (FORM_OF_KIND[kind] === 'prefix') return this.internPrefix(kind as AddressKind, key);
    const owner = ownerOf(kind, key);
    return this.internName(owner, 0, owner.length);
  }

  private internPrefix(kind: AddressKind, key: Uint8Array): number {
    const owner = prefixOwner(kind, key);
    const hash = hashOwner(owner, 0, owner.length);
    const known = this.index.find(owner, 0, owner.length, hash);
    if (known !== NONE) return known;
    const id = this.append(owner, 0, owner.length, hash);
    this.prefixes.add(id, kind, key);
    return id;
  }

  private internName(source: Uint8Array, from: number, to: number): number {
    if (from === to) return this.internRoot();
    const depth = hashSuffixes(source, from, to);
    // The name itself is most often the answer (a feed repeats itself), so it is looked up first.
    let known = this.index.find(source, from, to, suffixHash[0]);
    if (known !== NONE) return known;
    let level = 1;
    for (; level < depth; level++) {
      known = this.index.find(source, suffixStart[level], to, suffixHash[level]);
      if (known !== NONE) break;
    }
    for (level--; level >= 0; level--) {
      known = this.appendName(
        { source, from: suffixStart[level], to, hash: suffixHash[level] },
        known,
      );
    }
    return known;
  }

  private appendName(
    { source, from, to, hash }: { source: Uint8Array; from: number; to: number; hash: number },
    above: number,
  ): number {
    const id = this.append(source, from, to, hash);
    this.columns.linkA[id] = NONE;
    if (above !== NONE) {
      this.columns.parents[id] = above;
      this.columns.linkB[id] = this.columns.linkA[above];
      this.columns.linkA[above] = id;
    } else if (isOctets(source, from, to, NSDNAME_LABEL)) {
      // A tree of its own: what is said of all query names says nothing of name servers.
      this.columns.parents[id] = NONE;
      this.columns.linkB[id] = NONE;
    } else {
      this.columns.parents[id] = this.root;
      this.columns.linkB[id] = this.firstTop;
      this.firstTop = id;
      if (this.root !== NONE) this.columns.linkA[this.root] = id;
    }
    return id;
  }

  private internRoot(): number {
    if (this.root !== NONE) return this.root;
    const id = this.append(NO_OCTETS, 0, 0, hashOwner(NO_OCTETS, 0, 0));
    this.columns.parents[id] = NONE;
    this.columns.linkA[id] = this.firstTop;
    this.columns.linkB[id] = NONE;
    this.root = id;
    for (let top = this.firstTop; top !== NONE; top = this.columns.linkB[top])
      this.columns.parents[top] = id;
    return id;
  }

  private append(source: Uint8Array, from: number, to: number, hash: number): number {
    const id = this.slab.append(source, from, to);
    this.index.add(id, hash);
    this.columns.grow(this.slab.count);
    return id;
  }

  private markNested(fresh: readonly number[]): void {
    const nested = new Set<number>();
    for (const id of fresh) {
      if (this.hasIndicatorAbove(id)) nested.add(id);
      this.visitDescendants(id, (below) => {
        if ((this.columns.traits[below] & IS_INDICATOR) !== 0) nested.add(below);
        return true;
      });
    }
    this.nested = withIds(this.nested, Uint32Array.from(nested).sort(), []);
  }

  private hasIndicatorAbove(id: number): boolean {
    for (
      let above = this.columns.parents[id];
      above !== NONE;
      above = this.columns.parents[above]
    ) {
      if ((this.columns.traits[above] & IS_INDICATOR) !== 0) return true;
    }
    return false;
  }

  private visitLabelsBelow(id: number, visit: (id: number) => boolean): void {
    const open = [this.firstChild(id)];
    while (open.length > 0) {
      for (let child = open.pop()!; child !== NONE; child = this.columns.linkB[child]) {
        if (visit(child) && this.columns.linkA[child] !== NONE)
          open.push(this.columns.linkA[child]);
      }
    }
  }

  private storedKeyLength(id: number): number {
    return this.isPrefix(id) ? this.prefixes.keyLength(id) : this.slab.length(id);
  }
}

/** Whether the key of an indicator is its owner. */
function isName(kind: IndicatorKind): boolean {
  return kind !== 'nsname' && FORM_OF_KIND[kind] !== 'prefix';
}
