import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { servePolicy, startTestSluice } from '../support/test-sluice.ts';

interface ZoneView {
  readonly serial: number;
  readonly revisions: readonly {
    readonly fromSerial: number;
    readonly toSerial: number;
    readonly recordsRemoved: number;
    readonly recordsAdded: number;
  }[];
}

describe('an entry of a list with a time of expiry', () => {
  it('leaves the zones by itself within a second after it, as an ordinary revision', async () => {
    const server = await startTestSluice();
    const lines = ['evil.example'];
    const { zone, policyId } = await servePolicy(server, { name: 'corp', type: 'dns', lines });
    await server.api('POST', '/lists', { name: 'short' });
    const expiresAt = Date.now() + 1_200;
    await server.api('PUT', '/lists/1/entries', {
      entries: [
        { value: 'short.example', expiresAt: new Date(expiresAt).toISOString() },
        'long.example',
      ],
    });
    await server.api('POST', `/policies/${policyId}/attachments`, { kind: 'list', id: 1 });
    const isThere = async (): Promise<boolean> => {
      const { answers } = await server.udp(`short.example.${zone}`, 'CNAME');
      return answers.length > 0;
    };
    const zoneView = () => server.api<ZoneView>('GET', `/zones/${zone}`);
    expect(await isThere()).toBe(true);
    const before = await zoneView();
    while (await isThere()) {
      expect(Date.now()).toBeLessThan(expiresAt + 1_000);
      await pause(20);
    }
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
    const [last] = (await zoneView()).revisions;
    expect(last).toMatchObject({ fromSerial: before.serial, recordsRemoved: 2, recordsAdded: 0 });
    expect(await server.api('GET', '/lists/1')).toMatchObject({ counts: { entries: 1 } });
  });
});
