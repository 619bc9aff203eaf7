import { describe, expect, it } from 'vitest';
import { scene } from './scene.ts';

const PRESET = '/feed-presets/feodo-tracker';

describe('feed presets', () => {
  it('are listed with what is known of them, searched and filtered', async () => {
    const { ok } = await scene();
    const found = async (query: string): Promise<string[]> => {
      const { items } = await ok('GET', `/feed-presets?${query}`, undefined, 'viewer');
      return (items as unknown as { name: string }[]).map(({ name }) => name);
    };
    expect(await found('')).toEqual(['feodo-tracker', 'phishing-names']);
    expect(await found('sort=-title')).toEqual(['phishing-names', 'feodo-tracker']);
    expect(await found('q=another')).toEqual(['phishing-names']);
    expect(await found('verified=true')).toEqual(['feodo-tracker']);
    expect(await found('threatType=phishing')).toEqual(['phishing-names']);
    expect(await found('iocType=ip')).toEqual(['feodo-tracker']);
    const { next } = await ok('GET', '/feed-presets?limit=1');
    expect(await found(`limit=1&cursor=${next}`)).toEqual(['phishing-names']);
    expect(await ok('GET', PRESET)).toMatchObject({
      licence: 'CC0 1.0',
      licenceUrl: 'https://feeds.example/terms',
      intervalSeconds: 3_600,
      targets: [],
    });
  });

  it('make a target and its feed in one change', async () => {
    const { ok } = await scene();
    const made = await ok('POST', `${PRESET}/enable`, {});
    expect(made).toMatchObject({
      target: {
        id: 1,
        name: 'Botnet controllers',
        size: 0,
        origin: 'custom',
        attributes: { severity: 5, confidence: 95, threatType: 'botnet', tags: ['c2'] },
      },
      feed: {
        target: { id: 1 },
        preset: 'feodo-tracker',
        source: { kind: 'http', url: 'https://feeds.example/ipblocklist.txt' },
        format: { kind: 'lines' },
        schedule: { kind: 'interval', seconds: 3_600 },
      },
    });
    expect(made.target?.description).toMatch(/Feeds of example.*CC0 1\.0/);
    expect(await ok('GET', PRESET)).toMatchObject({
      targets: [{ id: 1, name: 'Botnet controllers' }],
    });
    expect(await ok('GET', '/feed-presets?enabled=true')).toMatchObject({ total: 1 });
    expect(await ok('GET', '/feeds?preset=feodo-tracker')).toMatchObject({ total: 1 });
  });

  it('take another name and other settings', async () => {
    const { ok } = await scene();
    const { target, feed } = await ok('POST', `${PRESET}/enable`, {
      targetName: 'Controllers',
      overrides: {
        enabled: false,
        source: { credentials: { kind: 'bearer', token: 'a-token' } },
        schedule: { kind: 'cron', expression: '5 * * * *' },
        ttlSeconds: 86_400,
      },
    });
    expect(target).toMatchObject({ name: 'Controllers' });
    expect(feed).toMatchObject({
      enabled: false,
      source: {
        url: 'https://feeds.example/ipblocklist.txt',
        credentials: { kind: 'bearer', token: '***' },
      },
      schedule: { kind: 'cron', expression: '5 * * * *' },
      ttlSeconds: 86_400,
      status: { state: 'paused' },
    });
  });

  it('make nothing when anything is refused', async () => {
    const { ok, refused, publisher } = await scene();
    await ok('POST', '/targets', { name: 'botnet CONTROLLERS' });
    const taken = await refused('POST', `${PRESET}/enable`, {});
    expect(taken).toMatchObject({ status: 409, field: 'targetName' });
    const wrong = { targetName: 'Other', overrides: { source: { url: 'ftp://feeds.example/' } } };
    const problem = await refused('POST', `${PRESET}/enable`, wrong);
    expect(problem).toMatchObject({ status: 422, field: 'overrides.source.url' });
    const format = { targetName: 'Other', overrides: { format: { kind: 'csv' } } };
    expect(await refused('POST', `${PRESET}/enable`, format)).toMatchObject({
      field: 'overrides.format.value',
    });
    expect(publisher.model.targets.size).toBe(1);
    expect(publisher.model.feeds.size).toBe(0);
    expect((await refused('GET', '/feed-presets/nothing')).status).toBe(404);
    expect((await refused('POST', '/feed-presets/nothing/enable', {})).status).toBe(404);
  });

  it('are turned on by an admin of the account that runs the server', async () => {
    const made = await scene();
    expect((await made.refused('POST', `${PRESET}/enable`, {}, 'editor')).status).toBe(403);
    const other = await made.addAccount('other');
    expect(await other.refused('POST', `${PRESET}/enable`, {})).toMatchObject({
      type: '/api/v1/problems/catalogue-read-only',
    });
    for (const url of ['/feed-presets', PRESET]) {
      const { type } = await other.refused('GET', url);
      expect(type, url).toBe('/api/v1/problems/not-allowed');
    }
  });

  it('are no part of a policy until somebody attaches them, and can be tried', async () => {
    const { ok, publisher } = await scene();
    const tried = await ok('POST', `${PRESET}/enable?dryRun=true`, {});
    expect(tried).toMatchObject({ dryRun: true, preview: { zones: [] } });
    expect(publisher.model.targets.size).toBe(0);
    expect(await ok('POST', `${PRESET}/enable`, {})).toMatchObject({ zones: [] });
  });
});
