import { describe, expect, it } from 'vitest';
import { RCODE, type TsigKey } from '../../src/dns/index.ts';
import {
  assignPolicy,
  createDevice,
  createKey,
  createPolicy,
  deleteDevice,
  deleteKey,
  type Edit,
  updateDevice,
} from '../../src/publish/edits/index.ts';
import { type AskOptions, type Desk, type House, openHouse, tsigKeyOf } from '../support/house.ts';
import { addTarget, BLOCK, NXDOMAIN, zoneName } from '../support/scene.ts';

const CORP = zoneName('rpz', 'corp');
const GUEST = zoneName('rpz', 'guest');
const EDGE = zoneName('block', 'edge');

const HOME = '192.0.2.10';
const STRANGER = '203.0.113.66';

interface Scene extends House {
  /** Keys of the devices that have one. */
  readonly keys: Readonly<Record<'byKey' | 'either', TsigKey>>;
  readonly ids: Readonly<Record<'byKey' | 'bySource' | 'either' | 'firewall' | 'idle', number>>;
}

/** Two DNS policies and an IP policy; four ways to be known, and a device without a policy. */
async function openScene(): Promise<Scene> {
  const house = await openHouse();
  const { value } = await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example', '198.51.100.1']);
    const attached = (action: typeof NXDOMAIN) => [{ kind: 'target', id: kits, action }];
    const policy = (name: string, type: 'dns' | 'ip', action: typeof NXDOMAIN) =>
      createPolicy(edit, { name, type, attachments: attached(action) }).id;
    const corp = policy('corp', 'dns', NXDOMAIN);
    const guest = policy('guest', 'dns', NXDOMAIN);
    const edge = policy('edge', 'ip', BLOCK);
    const device = (name: string, more: object) =>
      createDevice(edit, { name, type: 'dns', ...more }).id;
    const ids = {
      byKey: device('by-key', { access: 'key', policyId: corp }),
      bySource: device('by-source', {
        access: 'source',
        sources: ['192.0.2.0/28', '2001:db8:5::/48'],
        policyId: guest,
      }),
      either: device('either', { access: 'either', sources: ['198.18.0.0/15'], policyId: guest }),
      firewall: device('firewall', {
        type: 'ip',
        access: 'source',
        sources: ['192.0.2.200'],
        policyId: edge,
      }),
      idle: device('idle', { access: 'source', sources: ['192.0.2.99'] }),
    };
    const key = (deviceId: number) => createKey(edit, deviceId, {}).id;
    return { ids, keyIds: { byKey: key(ids.byKey), either: key(ids.either) } };
  });
  const { ids, keyIds } = value;
  const keys = { byKey: tsigKeyOf(house, keyIds.byKey), either: tsigKeyOf(house, keyIds.either) };
  return { ...house, ids, keys };
}

/** What one gets who asks for a zone in every way: the same answer to all of them. */
function reads(desk: Desk, zone: string, options: AskOptions): boolean {
  const rcodes = new Set([
    desk.ask(zone, 'SOA', options).rcode,
    desk.ask(zone, 'SOA', { ...options, protocol: 'tcp' }).rcode,
    desk.ask(zone, 'NS', options).rcode,
    desk.ask(zone, 'ANY', options).rcode,
    desk.ask(`evil.example.${zone}`, 'A', { ...options, protocol: 'tcp' }).rcode === RCODE.REFUSED
      ? RCODE.REFUSED
      : RCODE.NOERROR,
    desk.transfer(zone, options).rcode,
    desk.transfer(zone, { ...options, have: 1 }).rcode,
    desk.transfer(zone, { ...options, have: 1, protocol: 'udp' }).rcode,
  ]);
  expect(rcodes.size).toBe(1);
  const [rcode] = rcodes;
  expect([RCODE.NOERROR, RCODE.REFUSED]).toContain(rcode);
  return rcode === RCODE.NOERROR;
}

describe('who may read a zone', () => {
  it('known by key: who signs with it, from wherever', async () => {
    const scene = await openScene();
    expect(reads(scene, CORP, { key: scene.keys.byKey, from: STRANGER })).toBe(true);
    expect(reads(scene, CORP, { key: scene.keys.byKey, from: HOME })).toBe(true);
    expect(reads(scene, CORP, { from: HOME })).toBe(false);
    expect(reads(scene, CORP, { key: scene.keys.either, from: HOME })).toBe(false);
  });

  it('known by source: who asks from there, signed or not', async () => {
    const scene = await openScene();
    expect(reads(scene, GUEST, { from: HOME })).toBe(true);
    expect(reads(scene, GUEST, { from: '192.0.2.15' })).toBe(true);
    expect(reads(scene, GUEST, { from: '192.0.2.16' })).toBe(false);
    expect(reads(scene, GUEST, { from: '2001:db8:5:1::9' })).toBe(true);
    expect(reads(scene, GUEST, { from: '2001:db8:6::9' })).toBe(false);
    // The key proves another device, but the address is still this one's.
    expect(reads(scene, GUEST, { from: HOME, key: scene.keys.byKey })).toBe(true);
  });

  it('known by source alone: a key of its own, made for NOTIFY, opens nothing', async () => {
    const scene = await openScene();
    const { value: id } = await scene.edit((edit) => createKey(edit, scene.ids.bySource, {}).id);
    const key = tsigKeyOf(scene, id);
    expect(reads(scene, GUEST, { from: STRANGER, key })).toBe(false);
    expect(reads(scene, GUEST, { from: HOME, key })).toBe(true);
  });

  it('known by either: one of the two is enough', async () => {
    const scene = await openScene();
    expect(reads(scene, GUEST, { from: '198.19.255.1' })).toBe(true);
    expect(reads(scene, GUEST, { from: STRANGER, key: scene.keys.either })).toBe(true);
    expect(reads(scene, GUEST, { from: STRANGER })).toBe(false);
  });

  it('only devices of its own policy, whatever else they may read', async () => {
    const scene = await openScene();
    const { keys } = scene;
    expect(reads(scene, GUEST, { key: keys.byKey, from: STRANGER })).toBe(false);
    expect(reads(scene, EDGE, { key: keys.byKey, from: STRANGER })).toBe(false);
    expect(reads(scene, CORP, { from: '192.0.2.200' })).toBe(false);
    expect(reads(scene, EDGE, { from: '192.0.2.200' })).toBe(true);
    expect(reads(scene, zoneName('allow', 'edge'), { from: '192.0.2.200' })).toBe(true);
    for (const zone of [CORP, GUEST, EDGE])
      expect(reads(scene, zone, { from: '192.0.2.99' })).toBe(false);
  });

  it('nobody by default', async () => {
    const scene = await openScene();
    for (const zone of [CORP, GUEST, EDGE])
      expect(reads(scene, zone, { from: STRANGER })).toBe(false);
    for (const zone of [CORP, GUEST, EDGE]) expect(reads(scene, zone, { from: '::1' })).toBe(false);
  });
});

describe('a change of rights', () => {
  const edited = async (scene: Scene, change: (edit: Edit) => unknown): Promise<void> => {
    await scene.edit(change);
  };

  it('counts from the next query on: assignment, sources, deletion', async () => {
    const scene = await openScene();
    await edited(scene, (edit) => assignPolicy(edit, scene.ids.bySource, 1));
    expect(reads(scene, CORP, { from: HOME })).toBe(true);
    expect(reads(scene, GUEST, { from: HOME })).toBe(false);
    await edited(scene, (edit) => updateDevice(edit, scene.ids.bySource, { sources: [STRANGER] }));
    expect(reads(scene, CORP, { from: HOME })).toBe(false);
    expect(reads(scene, CORP, { from: STRANGER })).toBe(true);
    await edited(scene, (edit) => deleteDevice(edit, scene.ids.bySource));
    expect(reads(scene, CORP, { from: STRANGER })).toBe(false);
  });

  it('counts for keys: a deleted one is unknown, a second one works beside the first', async () => {
    const scene = await openScene();
    const { value: second } = await scene.edit((edit) => createKey(edit, scene.ids.byKey, {}).id);
    const key = tsigKeyOf(scene, second);
    expect(reads(scene, CORP, { key })).toBe(true);
    expect(reads(scene, CORP, { key: scene.keys.byKey })).toBe(true);
    await edited(scene, (edit) => deleteKey(edit, scene.ids.byKey, 1));
    expect(scene.ask(CORP, 'SOA', { key: scene.keys.byKey })).toMatchObject({
      rcode: RCODE.NOTAUTH,
      tsig: { error: RCODE.BADKEY },
    });
    expect(reads(scene, CORP, { key })).toBe(true);
  });
});

describe('names in no zone', () => {
  it('outside the root are refused to everyone', async () => {
    const scene = await openScene();
    for (const name of [
      'example.',
      '.',
      'internal.',
      'notsluice.internal.',
      'sluice.internal.example.',
    ]) {
      for (const from of [HOME, STRANGER]) {
        expect([name, scene.ask(name, 'A', { from }).rcode]).toEqual([name, RCODE.REFUSED]);
      }
    }
  });

  it('below the root do not exist for devices, and are refused to strangers', async () => {
    const scene = await openScene();
    const name = zoneName('rpz', 'other');
    expect(scene.ask(name, 'SOA', { from: HOME }).rcode).toBe(RCODE.NXDOMAIN);
    expect(scene.ask(name, 'SOA', { from: STRANGER, key: scene.keys.byKey }).rcode).toBe(
      RCODE.NXDOMAIN,
    );
    expect(scene.ask(name, 'SOA', { from: STRANGER }).rcode).toBe(RCODE.REFUSED);
    expect(scene.ask('acme.sluice.internal.', 'SOA', { from: STRANGER }).rcode).toBe(RCODE.REFUSED);
  });
});
