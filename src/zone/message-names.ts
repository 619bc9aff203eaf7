import { type Catalogue, NONE } from '../indicators/catalogue.ts';
import { ADDRESS_KINDS } from '../indicators/owner-of.ts';
import { triggerOctets } from '../indicators/trigger-owner.ts';
import type { ActionNumber } from '../policy/verdicts.ts';

/** Pointers reach no further than this (RFC 1035 section 4.1.4). */
export const POINTER_OFFSET_MAX = 0x3fff;

/** A power of two. A message of 16 KiB has some hundred names, of which few end others. */
const SLOTS = 4_096;
const SLOT_BITS = 12;
const POINTER_BITS = 14;

/** Ids of owners are below; these are the keys of names that no id stands for. */
const TARGET_KEY = 0xc0000000;
const ADDRESS_KEY = 0x80000000;
const KIND_SHIFT = 26;
const DEPTH_SHIFT = 24;

/**
 * Which names a message holds already, and where: what a compression pointer may point to. Owners are
 * known by their ids and their ends by those of the nodes above them, so nothing is hashed or compared
 * octet by octet. Which name loses its slot to another changes a few octets of the message, not its
 * meaning.
 */
export class MessageNames {
  private readonly keys = new Uint32Array(SLOTS);
  /** 0 for none: the header stands there. */
  private readonly offsets = new Uint16Array(SLOTS);
  private readonly words = new Uint32Array(4);

  /** A new message: it holds nothing yet. */
  begin(): void {
    this.offsets.fill(0);
  }

  /** Where the target of an action's CNAME stands, or 0. */
  target(action: ActionNumber): number {
    return this.find(TARGET_KEY + action);
  }

  noteTarget(action: ActionNumber, offset: number): void {
    this.note(TARGET_KEY + action, offset);
  }

  /**
   * Takes note of an owner that is to be written at `offset`, and says how: `octetsToWrite` of the
   * result come from its labels, and behind them stands a pointer to `pointerTo`, 0 for the origin.
   */
  place(catalogue: Catalogue, id: number, offset: number): PlacedOwner {
    return catalogue.isPrefix(id)
      ? this.placePrefix(catalogue, id, offset)
      : this.placeName(catalogue, id, offset);
  }

  private placeName(catalogue: Catalogue, id: number, offset: number): PlacedOwner {
    const length = catalogue.ownerLength(id);
    let end = length;
    let pointer = 0;
    let child = id;
    for (let above = catalogue.parent(id); above !== NONE; above = catalogue.parent(above)) {
      const octets = catalogue.ownerLength(above);
      // The root ends in nothing, and so does every name.
      if (octets === 0) break;
      pointer = this.find(above);
      if (pointer !== 0) {
        end = length - octets;
        break;
      }
      const isAlone =
        catalogue.firstChild(above) === child && catalogue.nextSibling(child) === NONE;
      if (!isAlone) this.note(above, offset + length - octets);
      child = above;
    }
    if (length > 0 && catalogue.firstChild(id) !== NONE) this.note(id, offset);
    return placed(end, pointer);
  }

  /**
   * `24.2.0.192.rpz-ip` may end as another one does: in the trigger, and of IPv4 in up to three octets
   * in front of it.
   */
  private placePrefix(catalogue: Catalogue, id: number, offset: number): PlacedOwner {
    const length = catalogue.ownerLength(id);
    const kind = catalogue.prefixKind(id);
    const trigger = ADDRESS_KEY + (ADDRESS_KINDS.indexOf(kind) << KIND_SHIFT);
    let network = 0;
    let depth = 0;
    let octets = triggerOctets(kind);
    if (catalogue.prefixFamily(id) === 4) {
      catalogue.prefixWords(id, this.words);
      network = this.words[0] >>> 8;
      depth = 3;
      octets +=
        3 + digits(network >>> 16) + digits((network >>> 8) & 0xff) + digits(network & 0xff);
    }
    for (;;) {
      const key = trigger + (depth << DEPTH_SHIFT) + network;
      const pointer = this.find(key);
      if (pointer !== 0) return placed(length - octets, pointer);
      this.note(key, offset + length - octets);
      if (depth === 0) return placed(length, 0);
      octets -= 1 + digits(network & 0xff);
      network >>>= 8;
      depth--;
    }
  }

  private find(key: number): number {
    const slot = slotOf(key);
    return this.keys[slot] === key ? this.offsets[slot] : 0;
  }

  private note(key: number, offset: number): void {
    if (offset > POINTER_OFFSET_MAX) return;
    const slot = slotOf(key);
    this.keys[slot] = key;
    this.offsets[slot] = offset;
  }
}

/** Both in one number, since this is said of every owner and must allocate nothing. */
export type PlacedOwner = number;

export function octetsToWrite(owner: PlacedOwner): number {
  return owner >>> POINTER_BITS;
}

export function pointerTo(owner: PlacedOwner): number {
  return owner & POINTER_OFFSET_MAX;
}

function placed(octets: number, pointer: number): PlacedOwner {
  return (octets << POINTER_BITS) | pointer;
}

function slotOf(key: number): number {
  return Math.imul(key, 0x9e3779b1) >>> (32 - SLOT_BITS);
}

function digits(octet: number): number {
  return octet >= 100 ? 3 : octet >= 10 ? 2 : 1;
}
