import { describe, expect, it } from 'vitest';
import { DEVICE, scene, sleep, until, ZONE } from './scene.ts';

const GONE = 'rpz.home.acme.old.internal.';

describe('a row of the outbox whose zone is not served', () => {
  it('is settled without a word when the zone does not come', async () => {
    const { peer, start, outbox, acknowledged } = scene();
    const { address, port, received } = await peer();
    outbox.owe({ deviceId: DEVICE, origin: GONE, address, port, serial: 5 });
    start({ unservedMs: 200 });
    await until(() => outbox.rows().length === 0);
    expect(received).toEqual([]);
    expect(acknowledged).toEqual([]);
  });

  it('is sent when the zone comes, and stays for as long as it may come', async () => {
    const { peer, start, publish, outbox, acknowledged } = scene();
    const secondary = await peer();
    const { address, port } = secondary;
    start({ unservedMs: 600 });
    outbox.owe({ deviceId: DEVICE, origin: ZONE, address, port, serial: 5 });
    await sleep(400);
    expect(outbox.rows()).toHaveLength(1);
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    expect(acknowledged.map(({ serial }) => serial)).toEqual([5]);
  });

  it('is told of at once when its zone comes a moment after it', async () => {
    const { peer, start, publish, outbox } = scene();
    const secondary = await peer();
    const { address, port } = secondary;
    const notifier = start();
    outbox.owe({ deviceId: DEVICE, origin: ZONE, address, port, serial: 5 });
    notifier.wake();
    await sleep(50);
    const begun = performance.now();
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    expect(performance.now() - begun).toBeLessThan(900);
  });

  it('does not keep others from being read, however many there are', async () => {
    const { peer, start, publish, outbox, acknowledged } = scene();
    const secondary = await peer();
    const { address, port } = secondary;
    for (let index = 0; index < 64; index++) {
      const origin = `rpz.p${index}.acme.old.internal.`;
      outbox.owe({ deviceId: DEVICE, origin, address, port, serial: 5 });
    }
    start({ rowsReadMax: 16 });
    publish(secondary, 5);
    await until(() => acknowledged.length === 1);
    expect(outbox.rows()).toHaveLength(64);
  });
});
