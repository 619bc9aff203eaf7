import { once } from 'node:events';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  servePolicy,
  startTestSluice,
  type TestSluice,
  temporaryDirectory,
} from '../support/test-sluice.ts';
import { serialIn } from '../support/transfer.ts';

const LINES = 1_000_000;
const PATIENCE_MS = 30_000;

interface Run {
  readonly end: string;
  readonly reasons: readonly string[];
  readonly added: number;
  readonly removed: number;
  readonly rejected: number;
  readonly rejections: readonly unknown[];
  readonly guarded: number;
  readonly guardedShown: readonly { readonly text: string; readonly covers: string }[];
}

interface Fed {
  readonly server: TestSluice;
  readonly feedId: number;
  readonly zone: string;
  /** Runs the feed and says how that ended. */
  run(): Promise<Run>;
}

/** A server whose policy has a target with these names, and a feed for it. */
async function feed(
  lines: readonly string[],
  options: {
    readonly source: object;
    readonly directory?: string;
    readonly settings?: object;
    readonly yaml?: string;
  },
): Promise<Fed> {
  const directory = options.directory ?? temporaryDirectory();
  const yaml = `sampleCatalogue: false\n${options.yaml ?? ''}`;
  const server = await startTestSluice({ directory, yaml });
  const { targetId, zone } = await servePolicy(server, { name: 'corp', type: 'dns', lines });
  const { source, settings } = options;
  const input = { targetId, source, enabled: false, ...settings };
  const made = await server.api<{ feed: { id: number } }>('POST', '/feeds', input);
  const feedId = made.feed.id;
  return {
    server,
    feedId,
    zone,
    async run() {
      await server.api('POST', `/feeds/${feedId}/run`);
      const isRunning = async () =>
        (await server.api<{ status: { running: unknown } }>('GET', `/feeds/${feedId}`)).status
          .running !== null;
      await expect.poll(isRunning, { timeout: PATIENCE_MS }).toBe(false);
      const { items } = await server.api<{ items: Run[] }>('GET', `/feeds/${feedId}/runs`);
      return items[0]!;
    },
  };
}

function folderOf(directory: string): string {
  const folder = join(directory, 'feeds');
  mkdirSync(folder, { recursive: true });
  return folder;
}

it('a feed that suddenly lists com, all addresses and this server has the rest published', async () => {
  const directory = temporaryDirectory();
  const list = join(folderOf(directory), 'list.txt');
  const own = ['ns.sluice.internal', '127.0.0.1', '45.83.7.0/24'];
  writeFileSync(list, ['evil.example', 'com', '0.0.0.0/0', ...own, '45.83.8.1', ''].join('\n'));
  const yaml = 'changes: {ownNetworks: [45.83.7.53/32]}';
  const source = { kind: 'file', path: 'list.txt' };
  const { server, zone, run } = await feed(['old.example'], { source, directory, yaml });
  const { end, added, guarded, guardedShown } = await run();
  expect([end, added]).toEqual(['published', 2]);
  expect(guardedShown.map(({ text }) => text).toSorted()).toEqual(
    ['0.0.0.0/0', 'com', ...own].toSorted(),
  );
  expect(guarded).toBe(5);
  const answer = async (name: string) => (await server.udp(`${name}.${zone}`, 'CNAME')).answers;
  expect(await answer('evil.example')).toHaveLength(1);
  expect(await answer('com')).toHaveLength(0);
  expect(await answer('*.com')).toHaveLength(0);
}, 60_000);

it('a million rejected lines leave the target as it was, and little of them is kept', async () => {
  const directory = temporaryDirectory();
  const file = createWriteStream(join(folderOf(directory), 'list.txt'));
  for (let line = 0; line < LINES; line++) {
    const room = file.write(`this is no indicator at all: ${line} !!\n`);
    if (!room) await once(file, 'drain');
  }
  file.end('evil.example\n');
  await once(file, 'close');
  const names = Array.from({ length: 200 }, (_, index) => `n${index}.example`);
  const source = { kind: 'file', path: 'list.txt' };
  const settings = { format: { kind: 'lines' } };
  const { server, zone, run, feedId } = await feed(names, { source, directory, settings });
  const serial = await serialOf(server, zone);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const report = await run();
  expect(report.end).toBe('held');
  expect(report.reasons).toHaveLength(2);
  expect(report.rejected).toBe(LINES);
  expect(report.rejections).toHaveLength(100);
  globalThis.gc?.();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  expect(await serialOf(server, zone)).toBe(serial);
  const text = JSON.stringify(await server.api('GET', `/feeds/${feedId}/held`));
  expect(text.length).toBeLessThan(64 * 1024);
}, 120_000);

it('a source that hangs is cut off by the time limit of its feed', async () => {
  const hanging = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('evil.example\n');
  }).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  onTestFinished(() => {
    hanging.closeAllConnections();
    hanging.close();
  });
  const bound = hanging.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const { server, zone, run } = await feed(['old.example'], {
    source: { kind: 'http', url: `http://127.0.0.1:${port}/`, allowPrivate: true },
    settings: { limits: { seconds: 1 } },
    yaml: 'feeds: {allowPrivateSources: true}',
  });
  const serial = await serialOf(server, zone);
  const startedAt = performance.now();
  const report = await run();
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect([report.end, report.reasons]).toEqual(['failed', ['It took too long: the limit is 1 s']]);
  expect(await serialOf(server, zone)).toBe(serial);
}, 60_000);

it('a private address is not asked as long as the server does not allow it', async () => {
  const source = { kind: 'http', url: 'http://127.0.0.1:9/', allowPrivate: true };
  const { run, server } = await feed(['old.example'], { source });
  const { end, reasons } = await run();
  expect(end).toBe('failed');
  const labels = '{feed="1",target="corp target"}';
  expect(await server.metric(`sluice_feed_failures${labels}`)).toBe(1);
  expect(await server.metric(`sluice_feed_entries${labels}`)).toBe(1);
  expect(await server.metric(`sluice_feed_age_seconds${labels}`)).toBeLessThan(60);
  expect(reasons[0]).toMatch(/may not be fetched from/);
}, 60_000);

async function serialOf(server: TestSluice, zone: string): Promise<number> {
  return serialIn((await server.udp(zone, 'SOA')).answers[0]!);
}
