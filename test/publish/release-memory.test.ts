import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMemoryRelease } from '../../src/publish/release-memory.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function scene() {
  let released = 0;
  const memory = createMemoryRelease({
    now: () => performance.now(),
    release: () => {
      released++;
    },
  });
  const publish = (count: number): void => {
    for (let index = 0; index < count; index++) memory.published();
  };
  return { memory, publish, released: () => released };
}

describe('what publications leave behind', () => {
  it('is collected after a hundred of them, behind the answer to the last', () => {
    const { publish, released } = scene();
    publish(99);
    vi.advanceTimersByTime(60_000);
    expect(released()).toBe(0);
    publish(1);
    expect(released()).toBe(0);
    vi.advanceTimersByTime(0);
    expect(released()).toBe(1);
  });

  it('is collected every ten seconds at most, and what came in between too', () => {
    const { publish, released } = scene();
    publish(100);
    vi.advanceTimersByTime(1_000);
    publish(500);
    vi.advanceTimersByTime(8_999);
    expect(released()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(released()).toBe(2);
    vi.advanceTimersByTime(60_000);
    expect(released()).toBe(2);
  });

  it('is left alone when the server stops', () => {
    const { memory, publish, released } = scene();
    publish(100);
    memory.stop();
    vi.advanceTimersByTime(60_000);
    expect(released()).toBe(0);
  });
});
