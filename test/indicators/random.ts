/** Numbers below a limit from a fixed seed (mulberry32), so that a failing case comes again. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * below) | 0;
  };
}
