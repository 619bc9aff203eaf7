import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { keepPeersTidy, requirePeer, startNginx } from '../../interop/peers/index.ts';

keepPeersTidy();

const LINES = 3_125_000;
const LINE_OCTETS = 32;
const MEGABYTE = 1024 * 1024;

/** 100,000,000 octets of distinct names. */
async function writeLargeFeed(path: string): Promise<void> {
  const file = createWriteStream(path);
  for (let line = 0; line < LINES; line += 25_000) {
    const part = Array.from({ length: 25_000 }, (_, at) => {
      const name = `host-${line + at}.feed.example`;
      return `${name.padStart(LINE_OCTETS - 1, 'x')}\n`;
    });
    file.write(part.join(''));
  }
  file.end();
  await finished(file);
}

describe.skipIf(!requirePeer('nginx'))('a feed of 100 MB from nginx', () => {
  it('gives its memory back, and never holds up the main thread', async () => {
    const nginx = await startNginx({ files: { 'small.txt': 'a.example\nb.example\n' } });
    await writeLargeFeed(join(nginx.files, 'large.txt'));
    const program = fileURLToPath(new URL('./memory-run.ts', import.meta.url));
    const urls = [nginx.url('/small.txt'), nginx.url('/large.txt')];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', program, ...urls],
      {
        // Left to itself, glibc keeps 30 to 65 MB of what was freed, for the next time.
        env: { ...process.env, MALLOC_TRIM_THRESHOLD_: '131072' },
      },
    );
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ octets: LINES * LINE_OCTETS, indicators: LINES });
    // It was there, or nothing would have been measured.
    expect(report.peak - report.before).toBeGreaterThan(200 * MEGABYTE);
    expect(report.arrayBuffers).toBeLessThan(MEGABYTE);
    // What is left are holes in the allocator's arenas, 30 to 50 MB of a peak of 400: the more, the
    // further V8's own limit is away, since garbage is then collected later.
    expect(report.after - report.before).toBeLessThan(80 * MEGABYTE);
    expect(report.longestDelayMs).toBeLessThan(report.ms / 2);
  }, 120_000);
});
