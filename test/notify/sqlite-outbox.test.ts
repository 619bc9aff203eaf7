import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { serial } from '../../src/dns/index.ts';
import { startNotifier } from '../../src/notify/index.ts';
import type { Commit, OwedNotify, Store } from '../../src/publish/store-port.ts';
import { openStore } from '../../src/store/index.ts';
import { agree, type Peer, silence, startPeer } from './peer.ts';
import { DEVICE, soaOf, until, ZONE } from './scene.ts';

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function storeFolder(): Promise<() => Promise<Store>> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-notify-'));
  endings.push(() => rm(folder, { recursive: true }));
  return () => openStore({ path: join(folder, 'sluice.sqlite'), keyFile: join(folder, 'key') });
}

async function peerOf(script = agree): Promise<Peer> {
  const peer = await startPeer('127.0.0.1', script);
  endings.push(peer.close);
  return peer;
}

/** A commit of nothing but NOTIFYs. */
function owing(...notifies: readonly OwedNotify[]): Commit {
  return {
    change: {
      at: Date.now(),
      actor: 'test',
      action: 'test',
      accountId: null,
      subjects: [],
      accountIds: [],
      body: '{}',
    },
    putEntities: [],
    deleteEntities: [],
    nextIds: [],
    owners: null,
    members: [],
    deleteMembers: [],
    putListEntries: [],
    deleteListEntries: [],
    clearLists: [],
    history: [],
    putNotes: [],
    putPins: [],
    deletePins: [],
    zones: [],
    diffs: [],
    revisions: [],
    pruneRevisions: [],
    notifies,
    forgetNotifies: [],
  };
}

function startOn(store: Store, value: () => number): ReturnType<typeof startNotifier> {
  const notifier = startNotifier({
    store,
    findKey: () => undefined,
    soaRdata: () => soaOf(serial(value())),
    onAcknowledged: () => {},
    log: { info: () => {}, warn: () => {}, error: (details) => expect(details).toBeNull() },
    answerTimeoutMs: 30,
    spacingMs: 10,
  });
  endings.push(notifier.stop);
  return notifier;
}

describe('the notifier on the real store', () => {
  it('drains what is committed, newer serials in place of older ones', async () => {
    const store = await (await storeFolder())();
    endings.push(store.close);
    const secondary = await peerOf();
    const { address, port } = secondary;
    let value = 0;
    const notifier = startOn(store, () => value);
    for (let i = 0; i < 20; i += 1) {
      const row = { deviceId: DEVICE, origin: ZONE, address, port, serial: i + 1 };
      await store.commit(owing(row, { ...row, origin: 'other.test.' }));
      value = i + 1;
      notifier.wake();
    }
    await until(() => secondary.received.length > 0);
    while ((await store.owedNotifies()).length > 0) await new Promise(setImmediate);
    expect(secondary.received.length).toBeLessThan(40);
    expect(await store.nextNotifyAt()).toBeNull();
  });

  it('goes on after a restart with what was never acknowledged', async () => {
    const open = await storeFolder();
    const first = await open();
    const secondary = await peerOf(silence);
    const { address, port } = secondary;
    await first.commit(owing({ deviceId: DEVICE, origin: ZONE, address, port, serial: 3 }));
    const before = startOn(first, () => 3);
    await until(() => before.statistics().timeouts === 2);
    await before.stop();
    await first.close();
    secondary.script = agree;
    const second = await open();
    endings.push(second.close);
    const [row] = await second.owedNotifies();
    expect(row.nextAttemptAt).toBeGreaterThan(Date.now());
    const begin = performance.now();
    const after = startOn(second, () => 3);
    await until(() => after.statistics().acknowledged === 1);
    expect(performance.now() - begin).toBeLessThan(1_000);
    while ((await second.owedNotifies()).length > 0) await new Promise(setImmediate);
  });
});
