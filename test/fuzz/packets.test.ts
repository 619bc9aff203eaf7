import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RCODE } from '../../src/dns/index.ts';
import { type Endpoint, framed } from '../support/dns-clients.ts';
import { createRandom, type Random } from '../support/random.ts';
import { idOf } from './clean-answer.ts';
import { END_ID, type Exchange, exchangeByTcp, exchangeByUdp } from './exchange.ts';
import { heapAfterCollection } from './heap.ts';
import { mutate } from './mutate.ts';
import { type FuzzScene, openFuzzScene } from './scene.ts';

const SEED = 53;
const UDP_PACKETS = 150_000;
const TCP_PACKETS = 45_000;
const BROKEN_STREAMS = 500;
const STREAM_PACKETS = 10;
/** So many go at once: what one socket buffer holds of their answers. */
const UDP_BATCH = 60;
const TCP_BATCH = 50;
/** Batches between two edits, so that transfers and frames are of different states. */
const BATCHES_PER_CHANGE = 200;
/** The part of all packets before which the heap is not looked at: code is compiled, maps grow. */
const WARM_UP = 0.2;
/**
 * What may be held more at the end: revisions of the edits made meanwhile, frames, compiled code.
 * Packets that each left a closure of 100 octets would make it 12 MB over UDP.
 */
const GROWTH_OCTETS_MAX = 4_000_000;
const TIME_MS_MAX = 240_000;

const CORPUS = fileURLToPath(new URL('corpus', import.meta.url));

function nextPacket({ seeds }: FuzzScene, random: Random): Uint8Array {
  const packet = mutate(random.pick(seeds), seeds, random);
  if (idOf(packet) === END_ID) packet[0] = 0;
  return packet;
}

/** Sends so many packets in batches, each of which is over before the next begins. */
async function bombard(
  scene: FuzzScene,
  exchange: Exchange,
  { count, batch, random }: { count: number; batch: number; random: Random },
): Promise<void> {
  for (let sent = 0; sent < count; sent += batch) {
    await exchange.batch(Array.from({ length: batch }, () => nextPacket(scene, random)));
    if ((sent / batch) % BATCHES_PER_CHANGE === 0) await scene.change();
  }
}

async function expectHealthy(scene: FuzzScene): Promise<void> {
  const name = `name-7.example.${scene.emptyZone.replace('allow.edge', 'rpz.corp')}`;
  for (const ask of [scene.udp, scene.tcp]) {
    expect(await ask(name, 'A')).toMatchObject({ rcode: RCODE.NOERROR, answers: [{}] });
  }
  expect((await scene.transfer(scene.emptyZone)).records.length).toBeGreaterThan(5);
  expect(await scene.metric('sluice_dns_server{what="handlerFailures"}')).toBe(0);
  expect(scene.complaints).toEqual([]);
}

/** Octets that no framing fits: lengths are wrong, messages end early. Resolves when the server has closed. */
async function sendBroken(server: Endpoint, octets: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(server.port, server.address);
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.resume();
    socket.end(octets);
  });
}

describe('the server', () => {
  it(
    'gives clean answers or none to mutated packets over UDP, and keeps nothing of them',
    async () => {
      const scene = await openFuzzScene();
      const random = createRandom(SEED);
      const exchange = await exchangeByUdp(scene.dns);
      const warmUp = UDP_PACKETS * WARM_UP;
      await bombard(scene, exchange, { count: warmUp, batch: UDP_BATCH, random });
      const before = heapAfterCollection();
      await bombard(scene, exchange, { count: UDP_PACKETS - warmUp, batch: UDP_BATCH, random });
      expect(heapAfterCollection() - before).toBeLessThan(GROWTH_OCTETS_MAX);
      // Otherwise nearly all would have been dropped, and little been tried.
      expect(exchange.answers()).toBeGreaterThan(UDP_PACKETS / 2);
      exchange.close();
      await expectHealthy(scene);
    },
    TIME_MS_MAX,
  );

  it(
    'does so over TCP, where they may ask for transfers too',
    async () => {
      const scene = await openFuzzScene();
      const random = createRandom(SEED + 1);
      const exchange = await exchangeByTcp(scene.dns, scene.emptyZone);
      const warmUp = TCP_PACKETS * WARM_UP;
      await bombard(scene, exchange, { count: warmUp, batch: TCP_BATCH, random });
      const before = heapAfterCollection();
      await bombard(scene, exchange, { count: TCP_PACKETS - warmUp, batch: TCP_BATCH, random });
      expect(heapAfterCollection() - before).toBeLessThan(GROWTH_OCTETS_MAX);
      expect(exchange.answers()).toBeGreaterThan(TCP_PACKETS / 2);
      exchange.close();
      await expectHealthy(scene);
    },
    TIME_MS_MAX,
  );

  it(
    'survives streams in which the framing itself is broken',
    async () => {
      const scene = await openFuzzScene();
      const random = createRandom(SEED + 2);
      for (let stream = 0; stream < BROKEN_STREAMS; stream++) {
        const packets = Array.from({ length: STREAM_PACKETS }, () => nextPacket(scene, random));
        const octets = Uint8Array.from(Buffer.concat(packets.map(framed)));
        for (let time = 0; time < 3; time++)
          octets[random.below(octets.length)] = random.below(256);
        await sendBroken(scene.dns, octets);
      }
      await expectHealthy(scene);
    },
    TIME_MS_MAX,
  );

  it('answers cleanly what once made it fail', async () => {
    const scene = await openFuzzScene();
    const files = readdirSync(CORPUS).filter((name) => name.endsWith('.bin'));
    const packets = files.map((name) => Uint8Array.from(readFileSync(join(CORPUS, name))));
    for (const exchange of [
      await exchangeByUdp(scene.dns),
      await exchangeByTcp(scene.dns, scene.emptyZone),
    ]) {
      for (const packet of packets) await exchange.batch([packet]);
      exchange.close();
    }
    await expectHealthy(scene);
  });
});
