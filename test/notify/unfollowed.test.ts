import { expect, it } from 'vitest';
import { RCODE } from '../../src/dns/index.ts';
import { withRcode } from './peer.ts';
import { scene, sleep, until } from './scene.ts';

it('a zone that the device does not follow is told of once, whatever comes of it', async () => {
  const { peer, start, publish, outbox, acknowledged } = scene();
  const secondary = await peer('127.0.0.1', ({ bytes }) => withRcode(bytes, RCODE.REFUSED));
  start({ isFollowed: () => false, retryMsMin: 10, spacingMs: 1 });
  publish(secondary, 5);
  await until(() => outbox.rows().length === 0);
  await sleep(60);
  expect(secondary.received).toHaveLength(1);
  expect(acknowledged).toEqual([]);
});

it('a zone that it follows is told of until it acknowledges', async () => {
  const { peer, start, publish, outbox } = scene();
  const secondary = await peer('127.0.0.1', ({ bytes }) => withRcode(bytes, RCODE.REFUSED));
  start({ isFollowed: () => true, retryMsMin: 10, spacingMs: 1 });
  publish(secondary, 5);
  await until(() => secondary.received.length >= 3);
  expect(outbox.rows()).toHaveLength(1);
});
