import { writeUint32 } from '../dns/octets.ts';
import { grownUint32 } from './growable.ts';
import type { ImageReader, ImageWriter } from './memory-image.ts';
import { type OwnerColumns, SPACE_BITS } from './owner-columns.ts';
import { NONE } from './owner-index.ts';
import { ADDRESS_KINDS, type AddressKind } from './owner-of.ts';
import { IPV4_KEY_OCTETS, IPV6_KEY_OCTETS } from './prefix.ts';
import { PrefixOrder, type PrefixReader } from './prefix-order.ts';

/**
 * The owners of address triggers, linked by containment of their prefixes: a tree and an order for
 * each trigger and family. Keys are those of packed indicators: the length, then the address.
 */
export class PrefixTree {
  private readonly columns: OwnerColumns;
  private readonly orders: readonly PrefixOrder[];
  /** Those that are not in their order yet. */
  private readonly unsettled: number[][];
  private words6 = new Uint32Array(64);
  private words6Used = 0;

  constructor(columns: OwnerColumns) {
    this.columns = columns;
    const prefixLength = (id: number) => columns.linkB[id];
    const reader4: PrefixReader = { word: (id) => columns.linkA[id], prefixLength };
    const reader6: PrefixReader = {
      word: (id, word) => this.words6[columns.linkA[id] + word],
      prefixLength,
    };
    this.orders = ADDRESS_KINDS.flatMap(() => [
      new PrefixOrder(1, reader4),
      new PrefixOrder(4, reader6),
    ]);
    this.unsettled = this.orders.map(() => []);
  }

  order(kind: AddressKind, family: 4 | 6): PrefixOrder {
    return this.orders[orderNumber(kind, family)];
  }

  family(id: number): 4 | 6 {
    return this.space(id) % 2 === 0 ? 4 : 6;
  }

  kind(id: number): AddressKind {
    return ADDRESS_KINDS[this.space(id) >> 1];
  }

  /** Writes the network address into `words` (1 or 4 of them). */
  words(id: number, words: Uint32Array): void {
    const { linkA } = this.columns;
    if (this.family(id) === 4) words[0] = linkA[id];
    else for (let word = 0; word < 4; word++) words[word] = this.words6[linkA[id] + word];
  }

  /** The nearest prefix that contains the given one or is it, or NONE. */
  containing(kind: AddressKind, words: Uint32Array, length: number): number {
    const order = this.order(kind, words.length === 1 ? 4 : 6);
    return order.nearestContaining(words, length, this.columns.parents);
  }

  /** Takes in an owner that was appended; it has its place once `settle` was called. */
  add(id: number, kind: AddressKind, key: Uint8Array): void {
    const { traits, parents, linkA, linkB } = this.columns;
    const family = key.length === IPV4_KEY_OCTETS ? 4 : 6;
    const order = orderNumber(kind, family);
    traits[id] = order + 1;
    parents[id] = NONE;
    linkA[id] = family === 4 ? readWord(key, 1) : this.appendWords6(key);
    linkB[id] = key[0];
    this.unsettled[order].push(id);
  }

  /** Brings new prefixes into their orders and links them with what contains them and what they contain. */
  settle(): void {
    for (const [index, fresh] of this.unsettled.entries()) {
      if (fresh.length === 0) continue;
      const order = this.orders[index];
      order.insert(fresh);
      for (const id of fresh) this.link(order, id);
      this.unsettled[index] = [];
    }
  }

  hasContained(id: number): boolean {
    const order = this.orders[this.space(id)];
    const next = order.positionOf(id) + 1;
    return next < order.count && order.contains(id, order.at(next));
  }

  visitContained(id: number, visit: (id: number) => void): void {
    const order = this.orders[this.space(id)];
    for (let next = order.positionOf(id) + 1; next < order.count; next++) {
      const inner = order.at(next);
      if (!order.contains(id, inner)) return;
      visit(inner);
    }
  }

  keyLength(id: number): number {
    return this.family(id) === 4 ? IPV4_KEY_OCTETS : IPV6_KEY_OCTETS;
  }

  key(id: number): Uint8Array {
    const key = new Uint8Array(this.keyLength(id));
    this.writeKey(id, key, 0);
    return key;
  }

  /** Writes the key into `into[at…]` and returns where it ends. */
  writeKey(id: number, into: Uint8Array, at: number): number {
    const { linkA, linkB } = this.columns;
    into[at] = linkB[id];
    if (this.family(id) === 4) return writeUint32(into, at + 1, linkA[id]);
    let end = at + 1;
    for (let word = 0; word < 4; word++)
      end = writeUint32(into, end, this.words6[linkA[id] + word]);
    return end;
  }

  writeImage(image: ImageWriter): void {
    image.number(this.words6Used);
    image.array(this.words6.subarray(0, this.words6Used), 'grows');
    for (const order of this.orders) order.writeImage(image);
  }

  readImage(image: ImageReader): void {
    this.words6Used = image.number();
    this.words6 = image.words(this.words6Used);
    for (const order of this.orders) order.readImage(image);
  }

  /** Memory held, in octets. */
  octets(): number {
    return this.orders.reduce((octets, order) => octets + order.count * 4, this.words6.byteLength);
  }

  private space(id: number): number {
    return (this.columns.traits[id] & SPACE_BITS) - 1;
  }

  private appendWords6(key: Uint8Array): number {
    const at = this.words6Used;
    this.words6Used += 4;
    this.words6 = grownUint32(this.words6, this.words6Used);
    for (let word = 0; word < 4; word++) this.words6[at + word] = readWord(key, 1 + word * 4);
    return at;
  }

  private link(order: PrefixOrder, id: number): void {
    const { parents } = this.columns;
    const position = order.positionOf(id);
    let above = position === 0 ? NONE : order.at(position - 1);
    while (above !== NONE && !order.contains(above, id)) above = parents[above];
    parents[id] = above;
    for (let next = position + 1; next < order.count; next++) {
      const inner = order.at(next);
      if (!order.contains(id, inner)) return;
      if (parents[inner] === above) parents[inner] = id;
    }
  }
}

function orderNumber(kind: AddressKind, family: 4 | 6): number {
  return ADDRESS_KINDS.indexOf(kind) * 2 + (family === 6 ? 1 : 0);
}

function readWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
