import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createMemoryRelease } from '../../src/publish/release-memory.ts';

describe('what publications leave behind', () => {
  it('is collected after a hundred of them, behind the answer, and at most every ten seconds', async () => {
    const time = { now: 0 };
    let released = 0;
    const memory = createMemoryRelease({
      now: () => time.now,
      release: () => {
        released++;
      },
    });
    const publish = async (count: number): Promise<number> => {
      for (let index = 0; index < count; index++) memory.published();
      const before = released;
      await nextTurn();
      return released - before;
    };
    time.now = 10_000;
    expect(await publish(99)).toBe(0);
    expect(await publish(1)).toBe(1);
    time.now = 19_999;
    expect(await publish(500)).toBe(0);
    time.now = 20_000;
    expect(await publish(1)).toBe(1);
    expect(await publish(1)).toBe(0);
  });
});
