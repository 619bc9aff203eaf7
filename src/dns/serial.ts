import type { Brand } from './brand.ts';

/** A zone's serial: 32 bits on a circle (RFC 1982). Never compare two of them with `<`. */
export type Serial = Brand<number, 'Serial'>;

const SERIAL_SPACE = 2 ** 32;
const HALF_SPACE = 2 ** 31;
/** RFC 1982 section 3.1: the most that can be added and still count as newer. */
export const SERIAL_STEP_MAX = HALF_SPACE - 1;

/** Throws RangeError unless `value` is an unsigned 32-bit integer. */
export function serial(value: number): Serial {
  if (!Number.isInteger(value) || value < 0 || value >= SERIAL_SPACE) {
    throw new RangeError(`${value} is no serial: it must be an integer from 0 to 4294967295`);
  }
  return value as Serial;
}

/** RFC 1982 section 3.1. Throws RangeError when `step` is not between 0 and SERIAL_STEP_MAX. */
export function addToSerial(start: Serial, step: number): Serial {
  if (!Number.isInteger(step) || step < 0 || step > SERIAL_STEP_MAX) {
    throw new RangeError(`${step} cannot be added to a serial`);
  }
  return ((start + step) % SERIAL_SPACE) as Serial;
}

/** RFC 1982 section 3.2; undefined for two serials that are exactly half the circle apart. */
export function compareSerials(a: Serial, b: Serial): -1 | 0 | 1 | undefined {
  const distance = (a - b + SERIAL_SPACE) % SERIAL_SPACE;
  if (distance === 0) return 0;
  if (distance === HALF_SPACE) return undefined;
  return distance < HALF_SPACE ? 1 : -1;
}

/** Whether `a` is newer than `b`; false for the undefined pair too. */
export function isNewerSerial(a: Serial, b: Serial): boolean {
  return compareSerials(a, b) === 1;
}
