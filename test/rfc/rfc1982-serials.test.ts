import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addToSerial,
  compareSerials,
  isNewerSerial,
  SERIAL_STEP_MAX,
  serial,
} from '../../src/dns/serial.ts';
import { uint32 } from '../dns/arbitraries.ts';

const anySerial = uint32.map(serial);

describe('RFC 1982 section 3.1: addition', () => {
  it('goes round at 2^32', () => {
    expect(addToSerial(serial(0xffffffff), 1)).toBe(0);
    expect(addToSerial(serial(0xffffffff), SERIAL_STEP_MAX)).toBe(0x7ffffffe);
  });

  it('refuses steps outside 0 to 2^31 - 1', () => {
    expect(() => addToSerial(serial(1), 2 ** 31)).toThrow(RangeError);
    expect(() => addToSerial(serial(1), -1)).toThrow(RangeError);
    expect(() => addToSerial(serial(1), 0.5)).toThrow(RangeError);
  });

  it('makes a newer serial with any step but 0', () => {
    fc.assert(
      fc.property(anySerial, fc.integer({ min: 1, max: SERIAL_STEP_MAX }), (start, step) => {
        expect(compareSerials(addToSerial(start, step), start)).toBe(1);
        expect(compareSerials(start, addToSerial(start, step))).toBe(-1);
        expect(isNewerSerial(addToSerial(start, step), start)).toBe(true);
      }),
    );
  });
});

describe('RFC 1982 section 3.2: comparison', () => {
  it.each([
    [1, 0, 1],
    [44, 0, 1],
    [100, 0, 1],
    [100, 44, 1],
    [200, 100, 1],
    [0xffffffff, 0, -1],
    [0, 0xffffffff, 1],
    [0x80000001, 0, -1],
    [0x7fffffff, 0, 1],
    [5, 5, 0],
  ])('compares %i with %i as %i', (a, b, order) => {
    expect(compareSerials(serial(a), serial(b))).toBe(order);
  });

  it('leaves the pair that is half the circle apart undefined: neither is newer', () => {
    fc.assert(
      fc.property(anySerial, (a) => {
        const b = serial((a + 2 ** 31) % 2 ** 32);
        expect(compareSerials(a, b)).toBeUndefined();
        expect(isNewerSerial(a, b)).toBe(false);
        expect(isNewerSerial(b, a)).toBe(false);
      }),
    );
  });
});

describe('a serial', () => {
  it.each([-1, 2 ** 32, 1.5, Number.NaN])('cannot be %d', (value) => {
    expect(() => serial(value)).toThrow(RangeError);
  });
});
