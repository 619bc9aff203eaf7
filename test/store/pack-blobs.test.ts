import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packBlobs, SHARED_OCTETS_MAX } from '../../src/store/pack-blobs.ts';

const across = <Value extends object>(value: Value, mayMove: boolean): Value => {
  const packed = packBlobs(value, mayMove);
  return structuredClone(packed.value, { transfer: packed.transfer });
};

describe('packing blobs for another thread', () => {
  it('delivers any plain data unchanged', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.double(),
      fc.constant(null),
      fc.boolean(),
      fc.uint8Array({ maxLength: 6_000 }),
    );
    const data = fc.array(fc.record({ a: leaf, b: fc.array(leaf) }), { maxLength: 20 });
    fc.assert(
      fc.property(data, fc.boolean(), (value, mayMove) => {
        const before = structuredClone(value);
        expect(across(value, mayMove)).toEqual(before);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('delivers blobs around the size at which they get a buffer of their own', () => {
    const sizes = [0, 1, SHARED_OCTETS_MAX - 1, SHARED_OCTETS_MAX, SHARED_OCTETS_MAX + 1];
    const blobs = [...sizes, ...sizes].map((size, n) => new Uint8Array(size).fill(n + 1));
    const before = structuredClone(blobs);
    expect(across(blobs, true)).toEqual(before);
  });

  it("leaves the sender's buffers alone unless it gave them away", () => {
    const large = new Uint8Array(SHARED_OCTETS_MAX).fill(1);
    across({ large }, false);
    expect(large.length).toBe(SHARED_OCTETS_MAX);
    across({ large }, true);
    expect(large.length).toBe(0);
  });

  it('takes only the view along, not the slab that it is on, and never moves that slab', () => {
    const slab = new Uint8Array(4 * SHARED_OCTETS_MAX).fill(1);
    const views = [slab.subarray(5, 15), slab.subarray(0, 2 * SHARED_OCTETS_MAX)];
    const { transfer } = packBlobs(views, true);
    const octets = transfer.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    expect(octets).toBeLessThan(2 * SHARED_OCTETS_MAX + 8 * 1024);
    expect(slab.length).toBe(4 * SHARED_OCTETS_MAX);
  });

  it('puts many small blobs into few buffers of bounded size', () => {
    const blobs = Array.from({ length: 10_000 }, () => new Uint8Array(200));
    const { transfer } = packBlobs(blobs, false);
    expect(transfer.length).toBeLessThan(20);
    expect(Math.max(...transfer.map((buffer) => buffer.byteLength))).toBe(SHARED_OCTETS_MAX);
  });
});
