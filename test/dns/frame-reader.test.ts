import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameReader } from '../../src/dns/frame-reader.ts';
import { framed } from '../server/scene.ts';

/** All messages that come out when `stream` goes in as chunks of these sizes, the last one the rest. */
function readInChunks(stream: Uint8Array, sizes: readonly number[]): Buffer[] {
  const reader = createFrameReader();
  const messages: Buffer[] = [];
  let at = 0;
  for (const size of [...sizes, stream.length]) {
    const chunk = stream.subarray(at, at + size);
    at += chunk.length;
    reader.push(chunk);
    for (let next = reader.next(); next !== null; next = reader.next()) {
      messages.push(Buffer.from(next));
    }
  }
  expect(reader.isPartial()).toBe(false);
  return messages;
}

describe('the frame reader', () => {
  it('gives the same messages wherever the chunks are cut', () => {
    const message = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 20 }),
        fc.array(fc.nat({ max: 200 }), { maxLength: 100 }),
        (messages, sizes) => {
          const read = readInChunks(framed(...messages), sizes);
          expect(read).toEqual(messages.map((each) => Buffer.from(each)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('puts the longest message together from single octets in good time', () => {
    const long = Buffer.alloc(65_535, 7);
    const stream = framed(long, long);
    expect(readInChunks(stream, new Array(stream.length).fill(1))).toEqual([long, long]);
  });

  it('gives a message without octets as such', () => {
    expect(readInChunks(Buffer.of(0, 0, 0, 1, 9), [])).toEqual([Buffer.alloc(0), Buffer.of(9)]);
  });

  it('knows an unfinished message, even one of a single length octet', () => {
    const reader = createFrameReader();
    reader.push(Buffer.of(0));
    expect(reader.next()).toBeNull();
    expect(reader.isPartial()).toBe(true);
    reader.push(Buffer.of(1, 5));
    expect([...(reader.next() ?? [])]).toEqual([5]);
    expect(reader.isPartial()).toBe(false);
  });
});
