import { columnStart, grownUint8, grownUint32 } from './growable.ts';
import type { ImageReader, ImageWriter } from './memory-image.ts';

/** Low bits of an owner's traits: 0 for a name, else 1 + the number of its order of prefixes. */
export const SPACE_BITS = 0b0111;
/** Some target or list holds, or once held, an indicator with this owner. */
export const IS_INDICATOR = 0b1000;

/** What the catalogue knows of each owner besides its octets, by id. */
export class OwnerColumns {
  /** The label above, or the nearest containing prefix; NONE at the top. */
  parents = new Uint32Array(columnStart(2));
  /** Names: first child. Prefixes: the IPv4 address, or where the IPv6 address lies. */
  linkA = new Uint32Array(columnStart(3));
  /** Names: next sibling. Prefixes: the prefix length. */
  linkB = new Uint32Array(columnStart(4));
  traits = new Uint8Array(columnStart(5));

  grow(count: number): void {
    this.parents = grownUint32(this.parents, count);
    this.linkA = grownUint32(this.linkA, count);
    this.linkB = grownUint32(this.linkB, count);
    this.traits = grownUint8(this.traits, count);
  }

  writeImage(image: ImageWriter, count: number): void {
    for (const column of [this.parents, this.linkA, this.linkB, this.traits]) {
      image.array(column.subarray(0, count), 'grows');
    }
  }

  readImage(image: ImageReader, count: number): void {
    this.parents = image.words(count);
    this.linkA = image.words(count);
    this.linkB = image.words(count);
    this.traits = image.octets(count);
  }

  /** Memory held, in octets. */
  octets(): number {
    const { parents, linkA, linkB, traits } = this;
    return parents.byteLength + linkA.byteLength + linkB.byteLength + traits.byteLength;
  }
}
