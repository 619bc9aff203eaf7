import { describe, expect, it } from 'vitest';
import type { RefusedEvent } from '../../src/nameserver/directory-port.ts';
import { indexIdentities } from '../../src/publish/device-identities.ts';
import {
  createAccount,
  createDevice,
  createKey,
  deleteKey,
  type Edit,
} from '../../src/publish/edits/index.ts';
import { createRefusalBook } from '../../src/publish/refusal-book.ts';
import { editScene } from './edits-scene.ts';

const ROOT = 'sluice.internal';
const ZONE = 'rpz.corp.acme.sluice.internal.';

/** Three devices: by key, by source and by certificate, and a book of what they are refused. */
function openScene(devicesMax?: number) {
  const scene = editScene();
  const devices = scene.run((edit) => ({
    byKey: createDevice(edit, {
      name: 'by-key',
      type: 'dns',
      notify: [{ address: '203.0.113.5' }],
    }).id,
    bySource: createDevice(edit, {
      name: 'by-source',
      type: 'dns',
      sources: ['192.0.2.0/24', '2001:db8::/32'],
    }).id,
    inside: createDevice(edit, { name: 'inside', type: 'dns', sources: ['192.0.2.77'] }).id,
    byName: createDevice(edit, {
      name: 'by-name',
      type: 'dns',
      access: 'certificate',
      certificateName: 'tier-1.example.com',
    }).id,
  }));
  scene.run((edit) => createKey(edit, devices.byKey, {}));
  const book = createRefusalBook({
    identities: () => indexIdentities(scene.model, ROOT),
    clock: () => scene.time.now,
    ...(devicesMax === undefined ? {} : { devicesMax }),
  });
  const refuse = (event: Partial<RefusedEvent>): void =>
    book.refused({
      name: ZONE,
      address: '198.51.100.1',
      protocol: 'udp',
      reason: 'prohibited',
      tsig: null,
      keyName: null,
      certificateNames: [],
      ...event,
    });
  const blamed = (): number[] =>
    Object.values(devices).filter((id) => book.ofDevice(id).length > 0);
  return { ...scene, devices, book, refuse, blamed };
}

describe('a refusal is put down to', () => {
  it('the device whose key signed, before the one that has the address', () => {
    const { devices, refuse, blamed } = openScene();
    refuse({ keyName: 'by-key.key.acme.sluice.internal.', address: '192.0.2.1' });
    expect(blamed()).toEqual([devices.byKey]);
  });

  it('the device whose key name was given with a wrong signature, whatever its case', () => {
    const { devices, book, refuse, blamed } = openScene();
    const tsig = { error: 'BADSIG', keyName: 'BY-key.key.acme.sluice.internal.' };
    refuse({ reason: 'tsig', tsig });
    expect(blamed()).toEqual([devices.byKey]);
    expect(book.ofDevice(devices.byKey)).toMatchObject([{ reason: 'tsig', tsig }]);
  });

  it('the device that a key was made for which is not there any more', () => {
    const { run, devices, refuse, blamed } = openScene();
    const second = run((edit) => createKey(edit, devices.byKey, {}));
    run((edit) => deleteKey(edit, devices.byKey, second.id));
    expect(second.name).toMatch(/^by-key-[0-9a-f]{8}\./);
    refuse({ reason: 'tsig', tsig: { error: 'BADKEY', keyName: second.name } });
    expect(blamed()).toEqual([devices.byKey]);
  });

  it('the device that the certificate names', () => {
    const { devices, refuse, blamed } = openScene();
    refuse({ protocol: 'tls', certificateNames: ['other.example.', 'tier-1.example.com.'] });
    expect(blamed()).toEqual([devices.byName]);
  });

  it('the device with the longest prefix that holds the address', () => {
    const { devices, refuse, blamed } = openScene();
    refuse({ address: '192.0.2.77' });
    expect(blamed()).toEqual([devices.inside]);
    refuse({ address: '2001:db8:ffff::1' });
    expect(blamed()).toEqual([devices.bySource, devices.inside]);
  });

  it('the device that is told at the address, when it is the source of none', () => {
    const { devices, refuse, blamed } = openScene();
    refuse({ reason: 'tsig', tsig: { error: 'BADKEY', keyName: 'x.' }, address: '203.0.113.5' });
    expect(blamed()).toEqual([devices.byKey]);
  });

  it('no device of another account that shares the address, or has it in a wider prefix', () => {
    const { run, devices, book, refuse } = openScene();
    const other = run((edit) => {
      const account = createAccount(edit, { label: 'globex', name: 'Globex' });
      const own: Edit = { ...edit, accountId: account.id };
      return [
        createDevice(own, { name: 'nat', type: 'dns', sources: ['192.0.2.77'] }).id,
        createDevice(own, { name: 'wide', type: 'dns', sources: ['198.51.0.0/16'] }).id,
      ];
    }, true);
    refuse({ address: '192.0.2.77', tsig: { error: 'BADKEY', keyName: 'x.' }, reason: 'tsig' });
    refuse({ address: '198.51.100.1' });
    expect(book.ofDevice(devices.inside)).toHaveLength(1);
    expect(other.flatMap((id) => book.ofDevice(id))).toEqual([]);

    const named = 'RPZ.corp.Globex.sluice.internal.';
    refuse({ address: '192.0.2.77', name: named });
    refuse({ address: '198.51.100.1', name: named });
    expect(book.ofDevice(devices.inside)).toHaveLength(1);
    expect(other.map((id) => book.ofDevice(id).length)).toEqual([1, 1]);
  });

  it('the secondary for all accounts that has the address, whosever the name is', () => {
    const { run, book, refuse } = openScene();
    const tier = run(
      (edit) =>
        createDevice(edit, {
          name: 'tier',
          type: 'secondary',
          scope: 'server',
          sources: ['198.51.100.53'],
        }).id,
      true,
    );
    refuse({ address: '198.51.100.53' });
    expect(book.ofDevice(tier)).toMatchObject([{ name: ZONE }]);
    run((edit) => createAccount(edit, { label: 'globex', name: 'Globex' }), true);
    refuse({ address: '198.51.100.53', name: 'rpz.corp.globex.sluice.internal.' });
    refuse({ address: '198.51.100.53', name: 'catalog.sluice.internal.' });
    expect(book.ofDevice(tier)).toHaveLength(3);
  });

  it('nobody when devices of several accounts have the address, and the name is of none', () => {
    const { run, devices, book, refuse } = openScene();
    const other = run((edit) => {
      const account = createAccount(edit, { label: 'globex', name: 'Globex' });
      const own: Edit = { ...edit, accountId: account.id };
      return createDevice(own, { name: 'nat', type: 'dns', sources: ['192.0.2.77'] }).id;
    }, true);
    refuse({ address: '192.0.2.77', name: null });
    refuse({ address: '192.0.2.77', name: 'rpz.corp.nobody.sluice.internal.' });
    expect([devices.inside, other].flatMap((id) => book.ofDevice(id))).toEqual([]);
    expect(book.statistics()).toMatchObject({ attributed: 0, unattributed: 2 });
  });

  it('nobody when nothing fits, and then it is counted alone', () => {
    const { book, refuse, blamed } = openScene();
    refuse({ address: '198.51.100.9', tsig: { error: 'BADKEY', keyName: 'a.b.c.d.' } });
    refuse({ address: 'no address' });
    expect(blamed()).toEqual([]);
    expect(book.statistics()).toEqual({ attributed: 0, unattributed: 2, forgotten: 0 });
  });
});

describe('the book of refusals', () => {
  it('counts what comes again the same way, and tells the newest first', () => {
    const { time, devices, book, refuse } = openScene();
    const begin = time.now;
    refuse({ address: '192.0.2.77' });
    refuse({ address: '192.0.2.77', reason: 'not-authoritative', name: 'Other.Example.' });
    time.now += 5_000;
    refuse({ address: '192.0.2.77' });
    expect(book.ofDevice(devices.inside)).toMatchObject([
      { reason: 'prohibited', name: ZONE, firstAt: begin, lastAt: begin + 5_000, count: 2 },
      { reason: 'not-authoritative', name: 'other.example.', count: 1 },
    ]);
  });

  it('keeps a few of each device, and a flood of one takes nothing from another', () => {
    const { devices, book, refuse } = openScene();
    refuse({ address: '192.0.2.1' });
    for (let index = 0; index < 20_000; index += 1) {
      refuse({ address: '192.0.2.77', name: `n${index}.example.` });
    }
    const kept = book.ofDevice(devices.inside);
    expect(kept.map(({ name }) => name)).toEqual(
      Array.from({ length: 8 }, (_, index) => `n${19_999 - index}.example.`),
    );
    expect(book.ofDevice(devices.bySource)).toHaveLength(1);
    expect(book.statistics()).toMatchObject({ attributed: 20_001, forgotten: 19_992 });
  });

  it('lets go of the device that was refused something longest ago when there are too many', () => {
    const { devices, book, refuse, blamed } = openScene(2);
    refuse({ address: '192.0.2.77' });
    refuse({ address: '192.0.2.1' });
    refuse({ address: '192.0.2.77' });
    refuse({ certificateNames: ['tier-1.example.com.'] });
    expect(blamed()).toEqual([devices.inside, devices.byName]);
    expect(book.statistics()).toMatchObject({ forgotten: 1 });
  });

  it('knows the addresses that host names have', () => {
    const scene = editScene();
    const { id } = scene.run((edit) =>
      createDevice(edit, { name: 'named', type: 'dns', hostnames: ['r.example.com'] }),
    );
    const hosts = { addressesOf: (name: string) => (name === 'r.example.com.' ? ['::5'] : []) };
    const claimed = { name: ZONE, address: '::5', tsig: null, keyName: null, certificateNames: [] };
    expect(indexIdentities(scene.model, ROOT, hosts).find(claimed)).toEqual([id]);
    expect(indexIdentities(scene.model, ROOT).find(claimed)).toEqual([]);
  });
});
