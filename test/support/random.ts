/** Numbers that look random and are the same in every run, for tests that must fail twice. */
export interface Random {
  /** From 0 to below `limit`, whole. */
  below(limit: number): number;
  chance(share: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

/** A 32-bit generator by Marsaglia's xorshift; `seed` is any number but 0. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  // The first numbers of small seeds are small themselves.
  for (let round = 0; round < 8; round++) next();
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    chance: (share) => next() < share,
    pick: (items) => items[below(items.length)],
  };
}
