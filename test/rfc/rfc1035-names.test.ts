import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatName, parseName, readName } from '../../src/dns/name.ts';
import { longName } from '../dns/arbitraries.ts';
import { hex } from '../dns/write-whole.ts';

describe('RFC 1035 section 2.3.4: size limits', () => {
  it('allows labels of 63 octets and names of 255', () => {
    const label = 'x'.repeat(63);
    expect(parseName(`${label}.`)).toHaveLength(65);
    expect(parseName(`${label}.${label}.${label}.${'x'.repeat(61)}.`)).toHaveLength(255);
  });

  it('does not read a name of 256 octets, written out or put together by a pointer', () => {
    const longest = parseName('a.'.repeat(127));
    const tooLong = Uint8Array.of(2, 0x61, 0x61, ...longest.subarray(2));
    expect(readName(longest, 0)?.name).toEqual(longest);
    expect(readName(tooLong, 0)).toBeNull();
    expect(tooLong).toHaveLength(256);
    const pointed = Uint8Array.of(...longest, 2, 0x61, 0x61, 0xc0, 2);
    expect(readName(pointed, 255)).toBeNull();
    expect(readName(Uint8Array.of(...longest, 0xc0, 0), 255)?.name).toEqual(longest);
  });
});

describe('RFC 1035 section 4.1.4: message compression', () => {
  /** The section's own example: F.ISI.ARPA at 20, FOO.F.ISI.ARPA at 40, ARPA at 64, the root at 92. */
  const example = new Uint8Array(93);
  example.set(hex('01 46 03 495349 04 41525041 00'), 20);
  example.set(hex('03 464f4f c014'), 40);
  example.set(hex('c01a'), 64);
  example.set(hex('00'), 92);

  it.each([
    [20, 'F.ISI.ARPA.', 32],
    [40, 'FOO.F.ISI.ARPA.', 46],
    [64, 'ARPA.', 66],
    [92, '.', 93],
  ])('reads the name at offset %i of the example as %s', (offset, text, next) => {
    const read = readName(example, offset);
    expect(read && formatName(read.name)).toBe(text);
    expect(read?.next).toBe(next);
  });

  it.each([
    ['to itself', '01 61 c002', 2],
    ['to the name that it ends', '01 61 c000', 0],
    ['forwards', 'c002 00', 0],
    ['in a loop of two', '01 61 c004 01 62 c000', 4],
    ['behind the message', 'c0ff', 0],
  ])('refuses a pointer %s', (_, octets, offset) => {
    expect(readName(hex(octets), offset)).toBeNull();
  });

  it('refuses the label types 01 and 10', () => {
    expect(readName(hex('41 61 00'), 0)).toBeNull();
    expect(readName(hex('81 61 00'), 0)).toBeNull();
  });

  it('refuses a name that the message cuts short anywhere', () => {
    const whole = hex('03 777777 07 6578616d706c65 00');
    for (let length = 0; length < whole.length; length += 1) {
      expect(readName(whole.subarray(0, length), 0)).toBeNull();
    }
    expect(readName(hex('00 01 61 c0'), 1)).toBeNull();
  });

  it('follows as many pointers as a name can have labels and no more', () => {
    // A root, then pointers each of which leads to the one before it.
    const chain = (pointers: number): Uint8Array => {
      const message = new Uint8Array(1 + 2 * pointers);
      for (let i = 1; i <= pointers; i += 1) {
        const target = i === 1 ? 0 : 2 * i - 3;
        message.set([0xc0 | (target >>> 8), target & 0xff], 2 * i - 1);
      }
      return message;
    };
    expect(readName(chain(127), 1 + 2 * 126)?.next).toBe(1 + 2 * 127);
    expect(readName(chain(128), 1 + 2 * 127)).toBeNull();
  });

  it('reads any name wherever a message holds it', () => {
    fc.assert(
      fc.property(longName, fc.nat(100), (name, offset) => {
        const message = new Uint8Array(offset + name.length + 3);
        message.set(name, offset);
        expect(readName(message, offset)).toEqual({ name, next: offset + name.length });
      }),
    );
  });
});

describe('RFC 1035 section 5.1: escapes', () => {
  it('takes the character after a backslash as it is, and three digits as an octet', () => {
    expect(parseName('a\\.b.')).toEqual(hex('03 612e62 00'));
    expect(parseName('\\\\\\@.')).toEqual(hex('02 5c40 00'));
    expect(parseName('\\000\\255\\046.')).toEqual(hex('03 00ff2e 00'));
  });

  it('escapes what would otherwise mean something, and what is not printable', () => {
    expect(formatName(parseName('\\.\\"\\(\\)\\;\\@\\$\\\\.'))).toBe('\\.\\"\\(\\)\\;\\@\\$\\\\.');
    expect(formatName(parseName('\\032\\127\\000.'))).toBe('\\032\\127\\000.');
    expect(formatName(parseName('*._a-b.'))).toBe('*._a-b.');
  });
});
