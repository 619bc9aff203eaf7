import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { startTestSluice, type TestSluice, temporaryDirectory } from '../support/test-sluice.ts';

interface Run {
  readonly end: string;
  readonly reasons: readonly string[];
  readonly added: number;
  readonly removed: number;
}

async function makeFeed({ api }: TestSluice, settings: object): Promise<number> {
  const { target } = await api<{ target: { id: number } }>('POST', '/targets', { name: 'Fed' });
  const body = { targetId: target.id, ...settings };
  return (await api<{ feed: { id: number } }>('POST', '/feeds', body)).feed.id;
}

/** Numbered names, one to a line. */
function names(count: number): string {
  return Array.from({ length: count }, (_, index) => `host${index}.evil.example\n`).join('');
}

describe('feeds of a whole server', () => {
  it('publish what is uploaded, hold what shrinks too much, and release it when told to', async () => {
    const server = await startTestSluice();
    const { api } = server;
    const id = await makeFeed(server, { source: { kind: 'upload' } });
    const upload = async (text: string) =>
      (await api<{ run: Run }>('POST', `/feeds/${id}/upload`, text)).run;
    expect(await upload(names(200))).toMatchObject({ end: 'published', added: 200 });
    expect(await upload(names(10))).toMatchObject({ end: 'held', removed: 190 });
    const sizeOf = async () =>
      (await api<{ items: { size: number }[] }>('GET', '/targets?q=Fed')).items;
    expect(await sizeOf()).toMatchObject([{ size: 200 }]);
    expect(await api('GET', `/feeds/${id}/held`)).toMatchObject({
      held: { removed: 190, run: { reasons: [expect.stringMatching(/would shrink by 95 %/)] } },
    });
    expect(await api('GET', '/feeds?state=held')).toMatchObject({ total: 1 });
    expect(await api('POST', `/feeds/${id}/release`, {})).toMatchObject({
      run: { end: 'published', removed: 190 },
    });
    expect(await sizeOf()).toMatchObject([{ size: 10 }]);
    const { items } = await api<{ items: Run[] }>('GET', `/feeds/${id}/runs`);
    expect(items.map(({ end }) => end)).toEqual(['published', 'held', 'published']);
    expect(server.complaints.filter(({ msg }) => !msg.startsWith('a feed'))).toEqual([]);
  });

  it('read files by themselves, and tell it as it happens', { timeout: 30_000 }, async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'feeds'));
    writeFileSync(join(directory, 'feeds', 'names.txt'), names(3));
    const server = await startTestSluice({ directory });
    const { api, http, adminToken } = server;
    const source = { kind: 'file', path: 'names.txt' };
    const id = await makeFeed(server, { source, enabled: false });
    const listening = await fetch(`http://${http.address}:${http.port}/api/v1/feeds/${id}/events`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    const text = listening.text();
    await api('PATCH', `/feeds/${id}`, { enabled: true });
    await vi.waitFor(async () => {
      expect(await api('GET', `/feeds/${id}`)).toMatchObject({ status: { state: 'ok' } });
    }, 15_000);
    const byHand = api('PATCH', '/targets/2/indicators', { add: ['more.example'] });
    await expect(byHand).rejects.toThrow(/409 .*fed-by-feed/);
    await server.stop();
    const told = (await text)
      .split('\n\n')
      .flatMap((event) => /^event: (\w+)/.exec(event)?.[1] ?? []);
    expect(told[0]).toBe('state');
    expect(told).toContain('progress');
    expect(told.filter((name) => name === 'ended')).toHaveLength(1);
    expect(await text).toMatch(/"end":"published".*"added":3/);
  });

  it('are turned on by name from the catalogue that is shipped', async () => {
    const server = await startTestSluice();
    const { total } = await server.api<{ total: number }>('GET', '/feed-presets');
    expect(total).toBeGreaterThanOrEqual(40);
    const made = await server.api('POST', '/feed-presets/feodo-tracker/enable', {
      overrides: { enabled: false },
    });
    expect(made).toMatchObject({ feed: { preset: 'feodo-tracker', status: { state: 'paused' } } });
  });
});
