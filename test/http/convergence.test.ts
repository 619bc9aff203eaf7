import { describe, expect, it } from 'vitest';
import type { DeviceZoneStatus } from '../../src/publish/store-port.ts';
import { statusOf } from '../store/fixtures.ts';
import { EXPECTED_MS } from './convergence-double.ts';
import { type Json, scene } from './scene.ts';

const ZONE = 'rpz.corp.acme.sluice.internal.';
const OWN = (device: string) => `rpz.${device}.dev.acme.sluice.internal.`;
const NOW = Date.UTC(2030, 0, 31, 12);

/** Two devices that follow a policy's zone, which has changed since the first of them transferred it. */
async function withDevices() {
  const made = await scene();
  const { ok, publisher, deeds, time } = made;
  await ok('POST', '/targets', { name: 'one' });
  const attachments = [{ kind: 'target', id: 1 }];
  await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
  const notify = [{ address: '192.0.2.53' }];
  await ok('POST', '/devices', { name: 'resolver-1', type: 'dns', policyId: 1, notify });
  await ok('POST', '/devices', { name: 'resolver-2', type: 'dns', policyId: 1 });
  const held = publisher.state.zones.get(ZONE)!.serial;
  time.now = NOW + 10_000;
  await ok('PUT', '/targets/1/indicators', 'evil.example\n');
  const { serial } = publisher.state.zones.get(ZONE)!;
  deeds.isFollowed = (_device, origin) => origin === ZONE;
  const did = (parts: Partial<DeviceZoneStatus> & { deviceId: number }) =>
    deeds.rows.push(statusOf({ origin: ZONE, ...parts }));
  return { ...made, did, held, serial };
}

const transferred = (serial: number, at: number) => ({
  transferredSerial: serial,
  transferredAt: at,
  transferredAddress: '192.0.2.53',
  transferKind: 'IXFR' as const,
  transferBytes: 1_234,
  heldSerial: serial,
  heldAt: at,
});

describe('what a device tells of itself', () => {
  it('is what it holds of each zone, how far that is behind, and what it did', async () => {
    const { ok, refused, did, held, serial, time } = await withDevices();
    did({
      deviceId: 1,
      notifiedSerial: held,
      notifiedAt: NOW + 1,
      notifiedAddress: '192.0.2.53',
      notifyProblem: 'no answer',
      notifyProblemAt: NOW + 12_000,
      notifyProblemAddress: '192.0.2.53 port 53',
      cutSerial: serial,
      cutAt: NOW + 11_000,
      cutAddress: '192.0.2.53',
      ...transferred(held, NOW + 2_000),
    });
    time.now = NOW + 10_000 + EXPECTED_MS;
    const address = '192.0.2.53';
    expect(await ok('GET', '/devices/1/status')).toEqual({
      items: [
        {
          zone: ZONE,
          serial,
          expected: true,
          holds: { serial: held, at: '2030-01-31T12:00:02.000Z', by: 'transfer' },
          judgedBy: 'held',
          lagSerials: 1,
          lagAtLeast: false,
          lagSeconds: EXPECTED_MS / 1000,
          converged: false,
          behind: { reason: 'transfer-cut', detail: expect.stringContaining('192.0.2.53') },
          notified: { serial: held, at: '2030-01-31T12:00:00.001Z', address },
          notifyProblem: {
            problem: 'no answer',
            at: '2030-01-31T12:00:12.000Z',
            endpoint: '192.0.2.53 port 53',
          },
          polled: null,
          transferred: {
            serial: held,
            at: '2030-01-31T12:00:02.000Z',
            address,
            kind: 'IXFR',
            bytes: 1_234,
          },
          cut: { serial, at: '2030-01-31T12:00:11.000Z', address },
        },
      ],
    });
    expect(await ok('GET', '/devices/1')).toMatchObject({
      status: [{ zone: ZONE, holds: { serial: held }, behind: { reason: 'transfer-cut' } }],
    });
    expect(await refused('GET', '/devices/9/status')).toMatchObject({ status: 404 });
  });

  it('tells zones that it is not to hold after those that it is', async () => {
    const { ok, did, serial, time } = await withDevices();
    did({ deviceId: 2, ...transferred(serial, time.now) });
    did({ deviceId: 2, origin: OWN('resolver-2'), notifiedSerial: 1, notifiedAt: 1 });
    expect(await ok('GET', '/devices/2/status')).toMatchObject({
      items: [
        { zone: ZONE, expected: true, converged: true, behind: null, lagSeconds: 0 },
        { zone: OWN('resolver-2'), expected: false, converged: false, behind: null },
      ],
    });
  });

  it('says that a question proved what it holds', async () => {
    const { ok, did, held } = await withDevices();
    did({ deviceId: 1, ...transferred(held - 5, NOW), heldSerial: held, heldAt: NOW + 1_000 });
    const { items } = await ok('GET', '/devices/1/status');
    expect(items).toMatchObject([{ holds: { serial: held, by: 'question' }, lagSerials: 1 }]);
  });
});

describe('convergence', () => {
  const told = ({ items }: Json): string[] =>
    (items as unknown as { device: { name: string }; zone: string }[]).map(
      ({ device, zone }) => `${device.name} ${zone}`,
    );

  it('lists each device with each zone that it is to hold', async () => {
    const { ok, did, held, serial, time } = await withDevices();
    did({ deviceId: 1, ...transferred(serial, time.now) });
    did({ deviceId: 2, ...transferred(held, NOW) });
    const page = await ok('GET', '/convergence', undefined, 'viewer');
    expect(page).toMatchObject({
      total: 2,
      items: [
        { device: { id: 1, name: 'resolver-1' }, zone: ZONE, converged: true, lagSerials: 0 },
        { device: { id: 2, name: 'resolver-2' }, zone: ZONE, converged: false, lagSerials: 1 },
      ],
    });
  });

  it('is filtered by what is converged, behind, of a device, of a zone, and by the reason', async () => {
    const { ok, did, held, serial, time } = await withDevices();
    await ok('POST', '/devices', { name: 'resolver-3', type: 'dns', policyId: 1 });
    did({ deviceId: 1, ...transferred(serial, time.now) });
    did({ deviceId: 2, ...transferred(held, NOW) });
    time.now += EXPECTED_MS + 1_000;
    const list = async (query: string) => told(await ok('GET', `/convergence?${query}`));
    const [first, second, third] = [1, 2, 3].map((id) => `resolver-${id} ${ZONE}`);
    expect(await list('converged=true')).toEqual([first]);
    expect(await list('converged=false')).toEqual([second, third]);
    expect(await list('behind=true')).toEqual([second, third]);
    expect(await list('behind=false')).toEqual([first]);
    expect(await list('reason=never-asked')).toEqual([third]);
    expect(await list('reason=not-asked')).toEqual([second]);
    expect(await list('deviceId=2')).toEqual([second]);
    expect(await list(`zone=${ZONE.slice(0, -1).toUpperCase()}`)).toEqual([first, second, third]);
    expect(await list('zone=other.example')).toEqual([]);
    expect(await list('q=VER-3')).toEqual([third]);
  });

  it('is sorted and read page by page', async () => {
    const { ok, did, held, serial, time } = await withDevices();
    did({ deviceId: 1, ...transferred(held, NOW) });
    did({ deviceId: 2, ...transferred(serial, time.now) });
    time.now += 30_000;
    const first = await ok('GET', '/convergence?sort=-lagSeconds&limit=1');
    expect(first).toMatchObject({ total: 2, items: [{ device: { id: 1 }, lagSeconds: 30 }] });
    const cursor = encodeURIComponent(String(first.next));
    const second = await ok('GET', `/convergence?sort=-lagSeconds&limit=1&cursor=${cursor}`);
    expect(second).toMatchObject({ next: null, items: [{ device: { id: 2 }, lagSeconds: 0 }] });
  });

  it('tells an account of its own devices alone', async () => {
    const { addAccount, call, ok } = await withDevices();
    const other = await addAccount('other');
    expect(await other.ok('GET', '/convergence')).toMatchObject({ total: 0, items: [] });
    expect(await other.ok('GET', '/convergence?deviceId=1')).toMatchObject({ total: 0 });
    expect(await ok('GET', '/convergence')).toMatchObject({ total: 2 });
    expect((await call('GET', '/convergence', undefined, 'sensor')).status).toBe(403);
    expect((await call('GET', '/convergence', undefined, null)).status).toBe(401);
  });

  it('refuses filters that it does not know', async () => {
    const { refused } = await withDevices();
    for (const query of ['reason=lazy', 'converged=maybe', 'sort=address', 'device=1']) {
      expect(await refused('GET', `/convergence?${query}`), query).toMatchObject({ status: 400 });
    }
  });
});
