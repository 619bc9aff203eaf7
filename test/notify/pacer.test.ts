import { expect, it } from 'vitest';
import { createPacer } from '../../src/notify/pacer.ts';

/** A pacer over a clock of the test, and how many messages it lets go out now. */
function paced(perSecondMax: number) {
  const time = { now: 0 };
  const pacer = createPacer(
    () => perSecondMax,
    () => time.now,
  );
  const sendAll = (): number => {
    let sent = 0;
    for (; pacer.waitMs() === 0; sent += 1) pacer.spend();
    return sent;
  };
  return { time, pacer, sendAll };
}

it('after a silence a tenth of a second goes out at once, then as many as the time has', () => {
  const { time, sendAll } = paced(1_000);
  time.now = 60_000;
  expect(sendAll()).toBe(100);
  time.now += 30;
  expect(sendAll()).toBe(30);
});

it('over a long time no more goes out than the rate', () => {
  const { time, sendAll } = paced(50);
  let sent = 0;
  for (; time.now < 20_000; time.now += 7) sent += sendAll();
  expect(sent).toBeGreaterThan(990);
  expect(sent).toBeLessThanOrEqual(1_005);
});

it('a rate of one lets one out each second and says how long to wait', () => {
  const { time, pacer, sendAll } = paced(1);
  expect(sendAll()).toBe(1);
  expect(pacer.waitMs()).toBe(1_000);
  time.now += 400;
  expect(pacer.waitMs()).toBe(600);
});

it('what goes out without waiting is waited for afterwards', () => {
  const { pacer } = paced(10);
  for (let sent = 0; sent < 3; sent += 1) pacer.spend();
  expect(pacer.waitMs()).toBe(300);
});
