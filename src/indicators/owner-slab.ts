import { columnStart, grownUint8, grownUint32 } from './growable.ts';
import type { ImageReader, ImageWriter } from './memory-image.ts';

/** Blocks never move, so that growing never copies what is there. An owner never spans two blocks. */
const BLOCK_OCTETS = 1 << 20;
const OFFSET_BITS = 20;
const OFFSET_MASK = BLOCK_OCTETS - 1;

/** The owner names of the catalogue in wire form, by id. Append only. */
export class OwnerSlab {
  count = 0;
  private blocks: Uint8Array<ArrayBuffer>[] = [];
  private used = 0;
  private positions = new Uint32Array(columnStart(0));
  private lengths = new Uint8Array(columnStart(1));

  /** Appends `source[from, to)` as the next owner and returns its id. */
  append(source: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (this.blocks.length === 0 || this.used + length > BLOCK_OCTETS) {
      this.blocks.push(new Uint8Array(BLOCK_OCTETS));
      this.used = 0;
    }
    const block = this.blocks[this.blocks.length - 1];
    const used = this.used;
    for (let index = 0; index < length; index++) block[used + index] = source[from + index];
    const id = this.count++;
    this.positions = grownUint32(this.positions, this.count);
    this.lengths = grownUint8(this.lengths, this.count);
    this.positions[id] = (((this.blocks.length - 1) << OFFSET_BITS) | used) >>> 0;
    this.lengths[id] = length;
    this.used += length;
    return id;
  }

  /** The block that holds the owner: read it from `offset(id)` for `length(id)` octets. */
  block(id: number): Uint8Array {
    return this.blocks[this.positions[id] >>> OFFSET_BITS];
  }

  offset(id: number): number {
    return this.positions[id] & OFFSET_MASK;
  }

  length(id: number): number {
    return this.lengths[id];
  }

  bytes(id: number): Uint8Array {
    const offset = this.offset(id);
    return this.block(id).subarray(offset, offset + this.lengths[id]);
  }

  /** Writes the owner into `into[at…]` and returns where it ends. */
  copy(id: number, into: Uint8Array, at: number): number {
    const block = this.block(id);
    const offset = this.offset(id);
    const length = this.lengths[id];
    for (let index = 0; index < length; index++) into[at + index] = block[offset + index];
    return at + length;
  }

  writeImage(image: ImageWriter): void {
    image.number(this.count);
    image.number(this.used);
    image.number(this.blocks.length);
    image.array(this.positions.subarray(0, this.count), 'grows');
    image.array(this.lengths.subarray(0, this.count), 'grows');
    for (const block of this.blocks) image.array(block, 'stays');
  }

  readImage(image: ImageReader): void {
    this.count = image.number();
    this.used = image.number();
    const blocks = image.number();
    this.positions = image.words(this.count);
    this.lengths = image.octets(this.count);
    this.blocks = Array.from({ length: blocks }, () => image.octets(BLOCK_OCTETS));
  }

  /** Memory held, in octets. */
  octets(): number {
    return this.blocks.length * BLOCK_OCTETS + this.positions.byteLength + this.lengths.byteLength;
  }
}
