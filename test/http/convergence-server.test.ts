import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseName } from '../../src/dns/index.ts';
import { silence, startPeer } from '../notify/peer.ts';
import { servePolicy, startTestSluice, type TestSluice } from '../support/test-sluice.ts';

const YAML = 'sampleCatalogue: false\nconvergence:\n  expected: 1s\nnotify:\n  timeout: 200ms\n';

interface Row {
  readonly device: { readonly name: string };
  readonly zone: string;
  readonly holds: { readonly serial: number; readonly by: string } | null;
  readonly serial: number;
  readonly converged: boolean;
  readonly lagSerials: number;
  readonly behind: { readonly reason: string; readonly detail: string } | null;
}

const list = async (server: TestSluice, query = ''): Promise<Row[]> =>
  (await server.api<{ items: Row[] }>('GET', `/convergence${query}`)).items;

const pause = (ms = 50) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await pause();
}

it('a device is followed from its first transfer to where it hangs, and the metrics and the log say so', async () => {
  const server = await startTestSluice({ yaml: YAML });
  const made = { name: 'corp', type: 'dns', lines: ['a.example', 'b.example'] } as const;
  const { zone, targetId, deviceId } = await servePolicy(server, made);
  const served = () => server.sluice.publisher.state.zones.get(zone)!.serial;
  const first = served();
  await server.transfer(zone);
  const [row] = await list(server);
  expect(row).toMatchObject({
    device: { name: 'corp-reader' },
    zone,
    holds: { serial: first, by: 'transfer' },
    converged: true,
    lagSerials: 0,
    behind: null,
  });

  await server.api('PATCH', `/targets/${targetId}/indicators`, { add: ['c.example'] });
  await pause(1_100);
  expect(await list(server, '?converged=false')).toMatchObject([
    { lagSerials: 1, behind: { reason: 'not-asked' } },
  ]);

  const key = {
    name: parseName('corp-reader-00000000.key.main.sluice.internal.'),
    algorithm: 'hmac-sha256',
    secret: randomBytes(32),
  } as const;
  await server.udp(zone, 'SOA', { key });
  const [behind] = await list(server, '?behind=true');
  expect(behind).toMatchObject({ behind: { reason: 'tsig-badkey' } });
  expect(behind?.behind?.detail).toContain('corp-reader-00000000.key.main.sluice.internal.');

  // All devices are looked at every few seconds for these.
  const labels = `{device="corp-reader.main",zone="${zone}"}`;
  const reason = 'sluice_devices_behind{reason="tsig-badkey"}';
  await until(async () => (await server.metric(reason)) === 1);
  expect(await server.metric(`sluice_device_lag_serials${labels}`)).toBe(1);
  expect(await server.metric(`sluice_device_lag_seconds${labels}`)).toBeGreaterThan(1);
  expect(await server.metric(`sluice_device_converged${labels}`)).toBe(0);
  expect(await server.metric('sluice_device_zones{what="expected"}')).toBe(1);
  expect(server.complaints.filter(({ msg }) => msg === 'a device is behind')).toMatchObject([
    { deviceId, zone, reason: 'tsig-badkey' },
  ]);

  // The question itself proves what it holds; what comes by it is held then.
  await server.transfer(zone, { have: first });
  expect(await list(server)).toMatchObject([
    { holds: { serial: served() }, converged: true, behind: null },
  ]);
  await until(async () => (await server.metric(reason)) === 0);
  expect(await server.metric(`sluice_device_converged${labels}`)).toBe(1);
}, 30_000);

it('a device that does not answer to NOTIFY is told of as such, with the last outcome', async () => {
  const server = await startTestSluice({ yaml: YAML });
  const peer = await startPeer('127.0.0.1', silence);
  try {
    await server.api('POST', '/policies', { name: 'corp', type: 'dns' });
    const notify = [{ address: '127.0.0.1', port: peer.port }];
    await server.api('POST', '/devices', { name: 'r1', type: 'dns', policyId: 1, notify });
    const isFlagged = async () => (await list(server, '?reason=not-acknowledged')).length === 2;
    await until(isFlagged);
    const [row] = await list(server);
    expect(row?.behind?.detail).toBe(
      `It acknowledged no NOTIFY; 127.0.0.1 port ${peer.port}: no answer.`,
    );
    expect(row?.holds).toBeNull();
  } finally {
    peer.close();
  }
}, 20_000);
