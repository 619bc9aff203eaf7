import { onTestFinished } from 'vitest';
import type { TsigKey } from '../../src/dns/index.ts';
import type { DeviceKey, KeyId } from '../../src/policy/model.ts';
import { createDevice, createKey, createPolicy } from '../../src/publish/edits/index.ts';
import { startExpiryClock } from '../../src/publish/expiry.ts';
import { openKeyBook } from '../../src/publish/key-book.ts';
import { tsigKeyOf } from '../../src/publish/key-index.ts';
import { startKeyRetirement } from '../../src/publish/key-retirement.ts';
import type { Store } from '../../src/publish/store-port.ts';
import { type House, openHouse } from '../support/house.ts';
import { memoryStore } from '../support/memory-store.ts';

export const ZONE = 'rpz.corp.acme.sluice.internal.';
export const DAY_MS = 86_400_000;
export const DEVICE = 1;

/**
 * A house with device 1, known by its key 1, whose signed questions come to a key book; the expiry
 * clock and the retirement of keys run as in a server. The time moves only when a test moves it.
 */
export async function openKeyScene(store: Store = memoryStore()) {
  const house = await openHouse({ store });
  await house.edit((edit) => {
    const { id: policyId } = createPolicy(edit, { name: 'corp', type: 'dns' });
    const { id } = createDevice(edit, { name: 'r1', type: 'dns', access: 'key', policyId });
    createKey(edit, id, {});
  });
  return { house, ...(await openKeyRoom(house)) };
}

/** What a server has around its keys; opened again over the same house, what it has after a restart. */
export async function openKeyRoom(house: House, retireAfterMs = DAY_MS) {
  const { publisher, store, settings, time } = house;
  const clock = () => time.now;
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const book = await openKeyBook({
    store,
    model: () => publisher.model,
    clock,
    onFirstUse: () => retirement?.look(),
  });
  let retirement: ReturnType<typeof startKeyRetirement> | null = null;
  retirement = startKeyRetirement({ publisher, book, retireAfterMs, clock, onError });
  const expiry = startExpiryClock({ publisher, settings, clock, onError });
  const stop = async () => {
    expiry.stop();
    await retirement?.stop();
  };
  onTestFinished(stop);
  const { ask, transfer } = house.openDesk({
    observer: {
      polled: book.polled,
      transferred: book.transferred,
      refused: () => {},
      answered: () => {},
    },
  });
  const key = (id: number): DeviceKey => publisher.model.keys.get(id as KeyId)!;
  const tsig = (id: number): TsigKey => tsigKeyOf(key(id));
  return {
    book,
    errors,
    key,
    tsig,
    stop,
    /** The device asks for the SOA, signed with a key. */
    signs: (id: number, from = '192.0.2.10') => ask(ZONE, 'SOA', { key: tsig(id), from }),
    transfers: (id: number) => transfer(ZONE, { key: tsig(id) }),
    use: (id: number) => book.useOf(id as KeyId),
    keyIds: () => [...publisher.model.keys.keys()],
    /** Moves the time, and lets the expiry clock look as the server does after a change. */
    pass(ms: number) {
      time.now += ms;
      expiry.reschedule();
    },
    /** When a key ends, as soon as it has an end other than this. */
    async endOtherThan(id: number, end: number | null): Promise<number | null> {
      await until(() => key(id).expiresAt !== end);
      return key(id).expiresAt;
    },
  };
}

export async function until(check: () => boolean): Promise<void> {
  const end = performance.now() + 4_000;
  while (!check()) {
    if (performance.now() > end) throw new Error('it did not come to be in four seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Long enough for a retirement that is due to be made. */
export const aWhile = () => new Promise((resolve) => setTimeout(resolve, 250));
