import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type ChildSluice, freePorts, startChildSluice } from '../support/child-sluice.ts';
import { askByUdp, transferByTcp } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { type ApiCaller, apiCaller } from '../support/http-caller.ts';
import { createRandom, type Random } from '../support/random.ts';
import { servePolicy, temporaryDirectory } from '../support/test-sluice.ts';
import { serialIn } from '../support/transfer.ts';
import {
  compareImages,
  followIxfr,
  imageOfAxfr,
  SAME_IMAGE,
  type ZoneImage,
} from '../support/zone-image.ts';

const SEED = 1_917;
const ROUNDS = 8;
/** Between the first edit of a round and the kill: sometimes one edit, sometimes hundreds. */
const ALIVE_MS_MAX = 900;
const NAMES = 40;
/** A server that was killed does not say so over UDP. */
const UDP_PATIENCE_MS = 2_000;

/** What clients have seen of one zone, over all lives of the server. */
interface Witness {
  readonly zone: string;
  readonly contents: Map<number, ZoneImage>;
  highest: number;
}

/** What the API has said yes to. */
interface Acknowledged {
  /** By name: whether it is an indicator; undefined while nobody knows. */
  readonly held: Map<string, boolean | undefined>;
  /** The highest serial that an answer told, by zone. */
  readonly serials: Map<string, number>;
  edits: number;
}

function witness({ zone, contents }: Witness, image: ZoneImage): void {
  const known = contents.get(image.serial);
  if (known !== undefined) expect([zone, compareImages(known, image)]).toEqual([zone, SAME_IMAGE]);
  contents.set(image.serial, image);
}

/** Looks at the zone as a secondary does, and holds what it sees against all that was seen before. */
async function look(child: ChildSluice, seen: Witness): Promise<ZoneImage> {
  const soa = await askByUdp(child.dns, makeQuery(seen.zone, 'SOA'), UDP_PATIENCE_MS);
  const serial = serialIn(soa.answers[0]);
  expect(serial).toBeGreaterThanOrEqual(seen.highest);
  seen.highest = serial;
  const image = imageOfAxfr((await transferByTcp(child.dns, seen.zone)).records);
  expect(image.serial).toBeGreaterThanOrEqual(seen.highest);
  seen.highest = image.serial;
  witness(seen, image);
  return image;
}

interface ChangedIndicators {
  readonly zones: readonly { readonly zone: string; readonly serial: number }[];
}

/** One edit: some names come, some go. What was under way when the server died is unknown. */
async function editOnce(
  api: ApiCaller,
  targetId: number,
  acknowledged: Acknowledged,
  random: Random,
): Promise<void> {
  const names = Array.from({ length: 3 }, () => `n${random.below(NAMES)}.example`);
  const add = [...new Set(names)].filter(() => random.chance(0.5));
  const remove = [...new Set(names)].filter((name) => !add.includes(name));
  for (const name of [...add, ...remove]) acknowledged.held.set(name, undefined);
  const { zones } = await api<ChangedIndicators>('PATCH', `/targets/${targetId}/indicators`, {
    add,
    remove,
  });
  for (const name of add) acknowledged.held.set(name, true);
  for (const name of remove) acknowledged.held.set(name, false);
  for (const { zone, serial } of zones) acknowledged.serials.set(zone, serial);
  acknowledged.edits += 1;
}

/** Repeats until the server is gone: what fails before that is a failure of the test. */
async function repeat(isDead: () => boolean, step: () => Promise<unknown>): Promise<void> {
  while (!isDead()) {
    try {
      await step();
    } catch (error) {
      if (!isDead()) throw error;
    }
  }
}

/** Everything acknowledged is there; what nobody knows becomes known. */
function expectKept(acknowledged: Acknowledged, zone: string, image: ZoneImage): void {
  const owners = new Set(
    [...image.records.values()].map(({ name }) => Buffer.from(name).toString('latin1')),
  );
  for (const [name, held] of acknowledged.held) {
    const [label] = name.split('.');
    const isThere = [...owners].some((owner) =>
      owner.startsWith(`${String.fromCharCode(label.length)}${label}\x07example`),
    );
    if (held === undefined) acknowledged.held.set(name, isThere);
    else expect([name, isThere]).toEqual([name, held]);
  }
  const told = acknowledged.serials.get(zone);
  if (told !== undefined) expect(image.serial).toBeGreaterThanOrEqual(told);
}

it('kill -9 at any moment loses no acknowledged edit, and no serial falls or has two contents', async () => {
  const random = createRandom(SEED);
  const directory = temporaryDirectory();
  const ports = await freePorts();
  let child = startChildSluice(directory, ports);
  await child.started;
  const api = apiCaller(child.http, child.adminToken ?? '');
  const lines = Array.from({ length: 300 }, (_, index) => `base-${index}.example`);
  const policy = await servePolicy({ api }, { name: 'corp', type: 'dns', lines });
  const seen: Witness = { zone: policy.zone, contents: new Map(), highest: 0 };
  const acknowledged: Acknowledged = { held: new Map(), serials: new Map(), edits: 0 };

  for (let round = 0; round < ROUNDS; round++) {
    const before = await look(child, seen);
    expectKept(acknowledged, seen.zone, before);
    let isDead = false;
    const working = [
      repeat(
        () => isDead,
        () => editOnce(api, policy.targetId, acknowledged, random),
      ),
      repeat(
        () => isDead,
        () => look(child, seen),
      ),
    ];
    await pause(random.below(ALIVE_MS_MAX));
    isDead = true;
    await child.kill();
    await Promise.all(working);

    child = startChildSluice(directory, ports);
    await child.started;
    const { records } = await transferByTcp(child.dns, seen.zone, { have: before.serial });
    const after = await look(child, seen);
    expect(compareImages(followIxfr(before, records), after)).toEqual(SAME_IMAGE);
  }
  expectKept(acknowledged, seen.zone, await look(child, seen));
  expect(acknowledged.serials.get(seen.zone)).toBeGreaterThan(0);
  expect(acknowledged.edits).toBeGreaterThan(ROUNDS);
  expect(seen.contents.size).toBeGreaterThan(ROUNDS);
}, 120_000);
