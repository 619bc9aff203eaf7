import { writeUint32 } from '../dns/octets.ts';
import { inCanonicalOrder } from './canonical-order.ts';
import { columnStart, grownUint8, grownUint32 } from './growable.ts';
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
import { PrefixOrder, type PrefixReader } from './prefix-order.ts';
import { prefixOwner } from './trigger-owner.ts';

export type { IdsByForm } from './ids-by-form.ts';
export { NONE } from './owner-index.ts';

/** Low bits of an owner's traits: 0 for a name, else 1 + index of its prefix order. */
const SPACE_BITS = 0b0111;
/** Some target or list holds, or once held, an indicator with this owner. */
const IS_INDICATOR = 0b1000;

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
  private parents = new Uint32Array(columnStart(2));
  /** Names: first child. Prefixes: the IPv4 address, or where the IPv6 address begins in `words6`. */
  private linkA = new Uint32Array(columnStart(3));
  /** Names: next sibling. Prefixes: the prefix length. */
  private linkB = new Uint32Array(columnStart(4));
  private traits = new Uint8Array(columnStart(5));
  private words6 = new Uint32Array(64);
  private words6Used = 0;
  private firstTop = NONE;
  /** Indicators that an image said were such, so that those of a start need not be looked at one by one. */
  private imaged: IdSet = EMPTY_IDS;
  /** The owner without labels, once `*` is an indicator: from then on it is above every name. */
  private root = NONE;
  private readonly orders: readonly PrefixOrder[];
  private readonly unsettled: number[][];

  constructor() {
    const reader4: PrefixReader = {
      word: (id) => this.linkA[id],
      prefixLength: (id) => this.linkB[id],
    };
    const reader6: PrefixReader = {
      word: (id, word) => this.words6[this.linkA[id] + word],
      prefixLength: (id) => this.linkB[id],
    };
    this.orders = ADDRESS_KINDS.flatMap(() => [
      new PrefixOrder(1, reader4),
      new PrefixOrder(4, reader6),
    ]);
    this.unsettled = this.orders.map(() => []);
  }

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
        if ((this.traits[id] & IS_INDICATOR) === 0) {
          this.traits[id] |= IS_INDICATOR;
          fresh.push(id);
        }
        return id;
      },
    );
    this.settlePrefixes();
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
      if ((this.traits[id] & IS_INDICATOR) !== 0) continue;
      this.traits[id] |= IS_INDICATOR;
      fresh.push(id);
    }
    this.markNested(fresh);
  }

  isPrefix(id: number): boolean {
    return (this.traits[id] & SPACE_BITS) !== 0;
  }

  /** The label above, or the nearest containing prefix; NONE at the top. */
  parent(id: number): number {
    return this.parents[id];
  }

  /** Names only. */
  firstChild(id: number): number {
    return this.linkA[id];
  }

  /** Names only. */
  nextSibling(id: number): number {
    return this.linkB[id];
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
    return this.orders[ADDRESS_KINDS.indexOf(kind) * 2 + (family === 6 ? 1 : 0)];
  }

  prefixLength(id: number): number {
    return this.linkB[id];
  }

  prefixFamily(id: number): 4 | 6 {
    return this.space(id) % 2 === 0 ? 4 : 6;
  }

  prefixKind(id: number): AddressKind {
    return ADDRESS_KINDS[this.space(id) >> 1];
  }

  /** Writes the network address of a prefix into `words` (1 or 4 of them). */
  prefixWords(id: number, words: Uint32Array): void {
    if (this.prefixFamily(id) === 4) words[0] = this.linkA[id];
    else for (let word = 0; word < 4; word++) words[word] = this.words6[this.linkA[id] + word];
  }

  /** The nearest prefix that contains the given one or is it, or NONE. */
  containingPrefix(kind: AddressKind, words: Uint32Array, length: number): number {
    const order = this.order(kind, words.length === 1 ? 4 : 6);
    return order.nearestContaining(words, length, this.parents);
  }

  /** Visits all owners below this one, the nearer first; `visit` says whether to go on below what it saw. */
  visitDescendants(id: number, visit: (id: number) => boolean): void {
    if (this.isPrefix(id)) this.visitContained(id, visit);
    else this.visitLabelsBelow(id, visit);
  }

  /** Whether there is any owner below this one. */
  hasOwnersBelow(id: number): boolean {
    if (!this.isPrefix(id)) return this.linkA[id] !== NONE;
    const order = this.orders[this.space(id)];
    const next = order.positionOf(id) + 1;
    return next < order.count && order.contains(id, order.at(next));
  }

  /** Whether `holds` is true of some name below this one; stops at the first. Names only. */
  someDescendant(id: number, holds: (id: number) => boolean): boolean {
    const open = [this.firstChild(id)];
    while (open.length > 0) {
      for (let child = open.pop()!; child !== NONE; child = this.linkB[child]) {
        if (holds(child)) return true;
        if (this.linkA[child] !== NONE) open.push(this.linkA[child]);
      }
    }
    return false;
  }

  /** The indicator that an id and a form stand for. */
  indicator(id: number, form: MemberForm): Indicator {
    if (this.isPrefix(id)) return { kind: this.prefixKind(id), key: this.prefixKey(id) };
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
      bytes[at++] = this.traits[id] & SPACE_BITS;
      bytes[at++] = this.storedKeyLength(id);
      at = this.isPrefix(id) ? this.writePrefixKey(id, bytes, at) : this.slab.copy(id, bytes, at);
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
    this.settlePrefixes();
  }

  /**
   * All of it as it lies in memory, so that a start need not make it anew. In steps of a millisecond or
   * so; nobody may change it before the last one.
   */
  *writeImage(image: ImageWriter): Generator<void> {
    const { count } = this;
    this.slab.writeImage(image);
    yield* this.index.writeImage(image);
    for (const column of [this.parents, this.linkA, this.linkB, this.traits]) {
      image.array(column.subarray(0, count), 'grows');
    }
    image.number(this.words6Used);
    image.array(this.words6.subarray(0, this.words6Used), 'grows');
    image.number(this.firstTop);
    image.number(this.root);
    for (const order of this.orders) order.writeImage(image);
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
    const { count } = this;
    this.parents = image.words(count);
    this.linkA = image.words(count);
    this.linkB = image.words(count);
    this.traits = image.octets(count);
    this.words6Used = image.number();
    this.words6 = image.words(this.words6Used);
    this.firstTop = image.number();
    this.root = image.number();
    for (const order of this.orders) order.readImage(image);
    this.nested = decodeIdSet(image.octets()).set;
    this.imaged = decodeIdSet(image.octets()).set;
  }

  private *indicators(): Generator<void, IdSet> {
    let indicators = EMPTY_IDS;
    for (let from = 0; from < this.count; from += IDS_A_STEP) {
      const to = Math.min(this.count, from + IDS_A_STEP);
      const ids: number[] = [];
      for (let id = from; id < to; id++) if ((this.traits[id] & IS_INDICATOR) !== 0) ids.push(id);
      indicators = withIds(indicators, ids, []);
      yield;
    }
    return indicators;
  }

  /** Memory held, in octets. */
  octets(): number {
    const arrays = [this.parents, this.linkA, this.linkB, this.traits, this.words6];
    return (
      this.slab.octets() +
      this.index.octets() +
      arrays.reduce((octets, array) => octets + array.byteLength, 0) +
      this.orders.reduce((octets, order) => octets + order.count * 4, 0)
    );
  }

  private space(id: number): number {
    return (this.traits[id] & SPACE_BITS) - 1;
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
    const family = key.length === 5 ? 4 : 6;
    const order = ADDRESS_KINDS.indexOf(kind) * 2 + (family === 6 ? 1 : 0);
    this.traits[id] = order + 1;
    this.parents[id] = NONE;
    this.linkA[id] = family === 4 ? readWord(key, 1) : this.appendWords6(key);
    this.linkB[id] = key[0];
    this.unsettled[order].push(id);
    return id;
  }

  private appendWords6(key: Uint8Array): number {
    const at = this.words6Used;
    this.words6Used += 4;
    this.words6 = grownUint32(this.words6, this.words6Used);
    for (let word = 0; word < 4; word++) this.words6[at + word] = readWord(key, 1 + word * 4);
    return at;
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
    this.linkA[id] = NONE;
    if (above !== NONE) {
      this.parents[id] = above;
      this.linkB[id] = this.linkA[above];
      this.linkA[above] = id;
    } else if (isOctets(source, from, to, NSDNAME_LABEL)) {
      // A tree of its own: what is said of all query names says nothing of name servers.
      this.parents[id] = NONE;
      this.linkB[id] = NONE;
    } else {
      this.parents[id] = this.root;
      this.linkB[id] = this.firstTop;
      this.firstTop = id;
      if (this.root !== NONE) this.linkA[this.root] = id;
    }
    return id;
  }

  private internRoot(): number {
    if (this.root !== NONE) return this.root;
    const id = this.append(NO_OCTETS, 0, 0, hashOwner(NO_OCTETS, 0, 0));
    this.parents[id] = NONE;
    this.linkA[id] = this.firstTop;
    this.linkB[id] = NONE;
    this.root = id;
    for (let top = this.firstTop; top !== NONE; top = this.linkB[top]) this.parents[top] = id;
    return id;
  }

  private append(source: Uint8Array, from: number, to: number, hash: number): number {
    const id = this.slab.append(source, from, to);
    this.index.add(id, hash);
    const count = this.slab.count;
    this.parents = grownUint32(this.parents, count);
    this.linkA = grownUint32(this.linkA, count);
    this.linkB = grownUint32(this.linkB, count);
    this.traits = grownUint8(this.traits, count);
    return id;
  }

  /** Brings new prefixes into their orders and links them with what contains them and what they contain. */
  private settlePrefixes(): void {
    for (const [index, fresh] of this.unsettled.entries()) {
      if (fresh.length === 0) continue;
      const order = this.orders[index];
      order.insert(fresh);
      for (const id of fresh) this.linkPrefix(order, id);
      this.unsettled[index] = [];
    }
  }

  private linkPrefix(order: PrefixOrder, id: number): void {
    const position = order.positionOf(id);
    let above = position === 0 ? NONE : order.at(position - 1);
    while (above !== NONE && !order.contains(above, id)) above = this.parents[above];
    this.parents[id] = above;
    for (let next = position + 1; next < order.count; next++) {
      const inner = order.at(next);
      if (!order.contains(id, inner)) return;
      if (this.parents[inner] === above) this.parents[inner] = id;
    }
  }

  private markNested(fresh: readonly number[]): void {
    const nested = new Set<number>();
    for (const id of fresh) {
      if (this.hasIndicatorAbove(id)) nested.add(id);
      this.visitDescendants(id, (below) => {
        if ((this.traits[below] & IS_INDICATOR) !== 0) nested.add(below);
        return true;
      });
    }
    this.nested = withIds(this.nested, Uint32Array.from(nested).sort(), []);
  }

  private hasIndicatorAbove(id: number): boolean {
    for (let above = this.parents[id]; above !== NONE; above = this.parents[above]) {
      if ((this.traits[above] & IS_INDICATOR) !== 0) return true;
    }
    return false;
  }

  private visitContained(id: number, visit: (id: number) => boolean): void {
    const order = this.orders[this.space(id)];
    for (let next = order.positionOf(id) + 1; next < order.count; next++) {
      const inner = order.at(next);
      if (!order.contains(id, inner)) return;
      visit(inner);
    }
  }

  private visitLabelsBelow(id: number, visit: (id: number) => boolean): void {
    const open = [this.firstChild(id)];
    while (open.length > 0) {
      for (let child = open.pop()!; child !== NONE; child = this.linkB[child]) {
        if (visit(child) && this.linkA[child] !== NONE) open.push(this.linkA[child]);
      }
    }
  }

  private prefixKey(id: number): Uint8Array {
    const key = new Uint8Array(this.storedKeyLength(id));
    this.writePrefixKey(id, key, 0);
    return key;
  }

  private writePrefixKey(id: number, into: Uint8Array, at: number): number {
    into[at] = this.linkB[id];
    if (this.prefixFamily(id) === 4) return writeUint32(into, at + 1, this.linkA[id]);
    let end = at + 1;
    for (let word = 0; word < 4; word++)
      end = writeUint32(into, end, this.words6[this.linkA[id] + word]);
    return end;
  }

  private storedKeyLength(id: number): number {
    if (!this.isPrefix(id)) return this.slab.length(id);
    return this.prefixFamily(id) === 4 ? 5 : 17;
  }
}

/** Whether the key of an indicator is its owner. */
function isName(kind: IndicatorKind): boolean {
  return kind !== 'nsname' && FORM_OF_KIND[kind] !== 'prefix';
}

function readWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
