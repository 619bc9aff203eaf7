import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { THREAD_BOOT, threadProgram } from '../../src/threads/index.ts';

const FEEDS = new URL('../../src/feeds/worker/feed-thread.ts', import.meta.url);
const STORE = new URL('../../src/store/store-worker.ts', import.meta.url);
const DIGESTS = new URL('../../src/publish/digest-thread/digest-thread.ts', import.meta.url);

describe.each([
  ['feeds', FEEDS],
  ['the store', STORE],
  ['digests', DIGESTS],
])('the program of the thread of %s', (_name, url) => {
  it('is all modules of ours that it loads, without types', async () => {
    const { sources } = await threadProgram(url);
    expect(sources.size).toBeGreaterThan(10);
    for (const [module, source] of sources) {
      expect(source).not.toMatch(/^import type|^interface |^export interface /m);
      for (const [, path] of source.matchAll(/(?:from|import) *\(?'(\.[^']+)'/g)) {
        expect(sources.has(new URL(path!, module).href), `${path} of ${module}`).toBe(true);
      }
    }
  });
});

describe('a thread', () => {
  it('starts without the WebAssembly that strips types', async () => {
    const told = `parentPort.postMessage(process.moduleLoadList.filter((name) => /amaro/.test(name)))`;
    const program = `
      import { parentPort } from 'node:worker_threads';
      import '${FEEDS.href}';
      ${told};
      parentPort.close();`;
    const thread = new Worker(THREAD_BOOT, {
      workerData: {
        program: `data:text/javascript,${encodeURIComponent(program)}`,
        sources: (await threadProgram(FEEDS)).sources,
        directory: null,
      },
    });
    const ended = once(thread, 'exit');
    expect(await once(thread, 'message')).toEqual([[]]);
    expect(await ended).toEqual([0]);
  });

  it('would have it if it loaded TypeScript itself', async () => {
    const format = new URL('../../src/feeds/formats/feed-lines.ts', import.meta.url);
    const program = `await import('${format.href}'); console.log(process.moduleLoadList.join());`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...['--input-type=module', '--eval', program]],
      { env: { ...process.env, NODE_COMPILE_CACHE: '' } },
    );
    expect(stdout).toMatch(/amaro/);
  });

  it('says itself what is wrong with a program that cannot be read', async () => {
    const missing = new URL('./missing-thread.ts', import.meta.url);
    expect([...(await threadProgram(missing)).sources]).toEqual([]);
  });
});
