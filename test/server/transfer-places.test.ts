import { describe, expect, it } from 'vitest';
import {
  createTransferPlaces,
  type PlaceLimits,
  type PlaceSeeker,
} from '../../src/server/transfer-places.ts';
import { createRandom } from '../support/random.ts';

interface Named extends PlaceSeeker {
  readonly name: string;
}

const LIMITS: PlaceLimits = { placesMax: 100, perClientMax: 100, perKeyMax: 100, waitingMax: 100 };

const seeker = (client: string, name = client, key: Named['key'] = null): Named => ({
  client,
  name,
  key,
});

function placesOf(limits: Partial<PlaceLimits>) {
  return createTransferPlaces<Named>(() => ({ ...LIMITS, ...limits }));
}

describe('places for transfers', () => {
  it('are given in turn to the clients that wait, however many transfers one of them asks for', () => {
    const places = placesOf({ placesMax: 1 });
    const running = seeker('first');
    places.ask(running);
    for (let i = 0; i < 50; i += 1) places.ask(seeker('greedy', `greedy ${i}`));
    places.ask(seeker('late', 'late 0'));
    places.ask(seeker('late', 'late 1'));
    places.ask(seeker('latest', 'latest 0'));
    const served: string[] = [];
    let last: Named | null = running;
    while (last !== null) {
      places.leave(last);
      last = places.next();
      if (last !== null) served.push(last.name);
    }
    expect(served.slice(0, 6)).toEqual([
      'greedy 0',
      'late 0',
      'latest 0',
      'greedy 1',
      'late 1',
      'greedy 2',
    ]);
    expect(served).toHaveLength(53);
  });

  it('are limited for each key, from whatever clients it is used', () => {
    const places = placesOf({ perKeyMax: 2 });
    const key = { name: 'a.', transfersMax: null };
    expect(places.ask(seeker('1', '1', key))).toBe('taken');
    const second = seeker('2', '2', key);
    expect(places.ask(second)).toBe('taken');
    expect(places.ask(seeker('3', '3', key))).toBe('waiting');
    expect(places.ask(seeker('4', '4', { name: 'b.', transfersMax: null }))).toBe('taken');
    expect(places.next()).toBeNull();
    places.leave(second);
    expect(places.next()).toMatchObject({ name: '3' });
  });

  it('are limited by the limit of the key itself where it has one, above the usual one too', () => {
    const places = placesOf({ perKeyMax: 2 });
    const ask = (name: string, transfersMax: number) =>
      places.ask(seeker(name, name, { name: `${name}.`, transfersMax }));
    expect([ask('one', 1), ask('one', 1)]).toEqual(['taken', 'waiting']);
    expect([ask('three', 3), ask('three', 3), ask('three', 3), ask('three', 3)]).toEqual([
      'taken',
      'taken',
      'taken',
      'waiting',
    ]);
  });

  it('go past a transfer whose key has all of its own to another of the same client', () => {
    const places = placesOf({ perKeyMax: 1 });
    const key = { name: 'a.', transfersMax: null };
    places.ask(seeker('nat', 'runs', key));
    places.ask(seeker('nat', 'waits', key));
    expect(places.ask(seeker('nat', 'other', { name: 'b.', transfersMax: null }))).toBe('taken');
  });

  it('are waited for by so many and no more', () => {
    const places = placesOf({ placesMax: 1, waitingMax: 2 });
    expect(['a', 'b', 'c', 'd'].map((name) => places.ask(seeker(name)))).toEqual([
      'taken',
      'waiting',
      'waiting',
      'full',
    ]);
  });

  it('are not given to those who wait no longer', () => {
    const places = placesOf({ placesMax: 1 });
    const [first, second, third] = [seeker('a'), seeker('b'), seeker('c')];
    for (const each of [first, second, third]) places.ask(each);
    places.withdraw(second);
    places.withdraw(second);
    places.withdraw(seeker('unknown'));
    expect(places.waiting()).toBe(1);
    places.leave(first);
    expect(places.next()).toBe(third);
  });

  it('follow limits that change', () => {
    const limits = { ...LIMITS, placesMax: 1 };
    const places = createTransferPlaces<Named>(() => limits);
    for (const name of ['a', 'b', 'c']) places.ask(seeker(name));
    limits.placesMax = 3;
    expect([places.next()?.name, places.next()?.name, places.next()]).toEqual(['b', 'c', null]);
  });

  it('are never above a limit and never left empty while somebody may have one', () => {
    const random = createRandom(11);
    const limits = { placesMax: 6, perClientMax: 3, perKeyMax: 2, waitingMax: 20 };
    const places = placesOf(limits);
    const running = new Set<Named>();
    const waiting = new Set<Named>();
    const keys = [null, { name: 'a.', transfersMax: null }, { name: 'b.', transfersMax: 4 }];
    const count = (is: (other: Named) => boolean): number => [...running].filter(is).length;
    const isAllowed = ({ client, key }: Named): boolean =>
      running.size < limits.placesMax &&
      count((other) => other.client === client) < limits.perClientMax &&
      (key === null ||
        count((other) => other.key?.name === key.name) < (key.transfersMax ?? limits.perKeyMax));
    for (let round = 0; round < 20_000; round += 1) {
      if (random.chance(0.55)) {
        const next = seeker(`client ${random.below(4)}`, `${round}`, random.pick(keys));
        const wasAllowed = isAllowed(next);
        const answer = places.ask(next);
        expect(answer).toBe(
          wasAllowed ? 'taken' : waiting.size < limits.waitingMax ? 'waiting' : 'full',
        );
        if (answer === 'taken') running.add(next);
        if (answer === 'waiting') waiting.add(next);
      } else if (running.size > 0 && random.chance(0.8)) {
        const done = random.pick([...running]);
        running.delete(done);
        places.leave(done);
      } else if (waiting.size > 0) {
        const gone = random.pick([...waiting]);
        waiting.delete(gone);
        places.withdraw(gone);
      }
      for (let next = places.next(); next !== null; next = places.next()) {
        expect(waiting.delete(next) && isAllowed(next)).toBe(true);
        running.add(next);
      }
      expect([...waiting].some(isAllowed)).toBe(false);
      expect([places.taken(), places.waiting()]).toEqual([running.size, waiting.size]);
    }
  });
});
