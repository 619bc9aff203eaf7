import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { DEFAULT_API_LIMITS, type MetricFamily } from '../../src/http/index.ts';
import { scene } from './scene.ts';

describe('health', () => {
  it('is 200 while zones are served and 503 otherwise, without a token', async () => {
    const state = { serving: true };
    const { call } = await scene({ isServing: () => state.serving });
    const good = await call('GET', '/health', undefined, null);
    expect(good).toMatchObject({ status: 200, body: { status: 'serving' } });
    state.serving = false;
    const bad = await call('GET', '/health', undefined, null);
    expect(bad).toMatchObject({ status: 503, body: { type: '/api/v1/problems/unavailable' } });
  });
});

describe('metrics', () => {
  it('tell zones, serials, records and how long publishing took', async () => {
    const { call, ok, publisher } = await scene();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const { text, headers } = await call('GET', '/metrics', undefined, 'viewer');
    expect(headers['content-type']).toMatch(/^text\/plain/);
    const zone = publisher.zones()[0]!;
    const label = '{zone="rpz.corp.acme.sluice.internal."}';
    expect(text).toContain('\nsluice_zones 1\n');
    expect(text).toContain(`\nsluice_zone_serial${label} ${zone.serial}\n`);
    expect(text).toContain(`\nsluice_zone_records${label} 2\n`);
    expect(text).toContain('\nsluice_publish_duration_seconds_count 1\n');
    await ok('DELETE', '/policies/1');
    expect((await call('GET', '/metrics')).text).not.toContain(label);
  });

  it('take over what other rooms count, as it is at each scrape', async () => {
    let scrape = 0;
    // Monitoring usually asks before the first query comes: then there is no sample to learn labels from.
    const samplesAt = (time: number) =>
      time === 1
        ? []
        : [
            { labels: { protocol: 'udp' }, value: time * 5 },
            { labels: { protocol: 'tcp' }, value: 1 },
          ];
    const collectMetrics = (): MetricFamily[] => [
      {
        name: 'sluice_dns_queries_total',
        help: 'Queries.',
        type: 'counter',
        labelNames: ['protocol'],
        samples: samplesAt(++scrape),
      },
      {
        name: 'sluice_tcp_connections',
        help: 'Open.',
        type: 'gauge',
        labelNames: [],
        samples: [{ labels: {}, value: 3 }],
      },
    ];
    const { call } = await scene({ collectMetrics });
    await call('GET', '/metrics');
    const { text } = await call('GET', '/metrics');
    expect(text).toContain('# TYPE sluice_dns_queries_total counter');
    expect(text).toContain('\nsluice_dns_queries_total{protocol="udp"} 10\n');
    expect(text).toContain('\nsluice_dns_queries_total{protocol="tcp"} 1\n');
    expect(text).toContain('\nsluice_tcp_connections 3\n');
  });

  it('may be opened for a listener of its own', async () => {
    const { call } = await scene({ metricsWithoutToken: true });
    expect((await call('GET', '/metrics', undefined, null)).status).toBe(200);
  });
});

describe('connections', () => {
  it('beyond the limit are closed at once', async () => {
    const { app } = await scene({ limits: { ...DEFAULT_API_LIMITS, connectionsMax: 1 } });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const first = connect(port, '127.0.0.1');
    await once(first, 'connect');
    const second = connect(port, '127.0.0.1');
    second.on('error', () => undefined);
    await once(second, 'close');
    expect(first.destroyed).toBe(false);
    first.destroy();
  });
});

describe('answers', () => {
  it('forbid browsers to frame them, to guess types and to load from elsewhere', async () => {
    const { call } = await scene();
    for (const url of ['/health', '/api/docs/', '/targets', '/nothing']) {
      const { headers } = await call('GET', url, undefined, null);
      expect(headers['x-content-type-options'], url).toBe('nosniff');
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/https?:|\*|upgrade-insecure/);
    }
  });
});
