import { describe, expect, it } from 'vitest';
import { scene, until } from '../notify/scene.ts';
import {
  keepPeersTidy,
  type Peer,
  requirePeer,
  startKnot,
  startNamed,
  startNsd,
  startPowerDns,
  startUnbound,
} from './peers/index.ts';

keepPeersTidy();

const ZONE = 'not-served.example.';
/** What the peers serve; there is no primary, and none is needed. */
const secondary = { zone: 'served.example', primary: { address: '127.0.0.1', port: 9 } };

async function tellOnce(peer: Peer) {
  const made = scene();
  const notifier = made.start({ answerTimeoutMs: 300, retryMsMin: 60_000 });
  made.publish(peer, 5, ZONE);
  await until(() => notifier.statistics().sent === 1 && notifier.statistics().inFlight === 0);
  return { ...made, statistics: notifier.statistics() };
}

describe('a secondary that is told of a zone that it does not serve', () => {
  it.skipIf(!requirePeer('named', 'knotd'))(
    'says NOTAUTH when it is BIND or Knot, and is not told again',
    async () => {
      for (const start of [
        () => startNamed({ secondaries: [secondary] }),
        () => startKnot({ secondary }),
      ]) {
        const { outbox, acknowledged, statistics } = await tellOnce(await start());
        expect(statistics.notServedThere).toBe(1);
        expect(outbox.rows()).toEqual([]);
        expect(acknowledged).toEqual([]);
      }
    },
  );

  it.skipIf(!requirePeer('nsd', 'pdns_server', 'unbound'))(
    'cannot be told from one that refuses when it is NSD, PowerDNS or Unbound, and is told again',
    async () => {
      for (const start of [
        () => startNsd({ secondary }),
        () => startPowerDns({ secondary }),
        () => startUnbound({ rpz: secondary }),
      ]) {
        const { outbox, statistics } = await tellOnce(await start());
        expect(statistics.notServedThere).toBe(0);
        expect(outbox.rows()).toMatchObject([{ origin: ZONE, serial: 5 }]);
      }
    },
  );
});
