import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { requirePeer } from '../interop/peers/index.ts';
import { freePort } from '../support/free-port.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_TIMEOUT_MS = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'sluice-first-run-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the program as `npm start` does and returns what it tells a person. */
async function start(config: string): Promise<{ output: string; stop(): Promise<number | null> }> {
  const child = spawn(process.execPath, [MAIN, '--config', config], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!output.includes('Zones') || !output.endsWith('\n\n')) {
    if (performance.now() > deadline || child.exitCode !== null)
      throw new Error(`did not start: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    output,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', (code) => resolve(code));
        child.kill('SIGTERM');
      }),
  };
}

const serialsIn = (output: string): string[] =>
  [...output.matchAll(/^ {2}(\S+) serial (\d+)/gm)].map(
    ([, origin, serial]) => `${origin} ${serial}`,
  );

describe('the first start', () => {
  it.skipIf(!requirePeer('dig'))(
    'serves the sample catalogue, tells how to look at it, and the second one serves the same serials',
    async () => {
      const [dns, http] = [await freePort(), await freePort()];
      const config = join(folder, 'sluice.yaml');
      writeFileSync(
        config,
        `dataDirectory: ${JSON.stringify(join(folder, 'data'))}
dns: { listen: [{ address: 127.0.0.1, port: ${dns} }] }
http: { listen: { port: ${http} } }
log: { level: silent }
`,
      );
      const first = await start(config);
      const serials = serialsIn(first.output);
      expect(serials.map((line) => line.split('.')[0])).toEqual(
        expect.arrayContaining(['rpz', 'block', 'allow']),
      );

      // Every dig line that is printed works as it stands.
      const digs = [...first.output.matchAll(/^ {4}(dig .*)$/gm)].map(([, line = '']) => line);
      expect(digs.length).toBeGreaterThanOrEqual(3);
      for (const line of digs) {
        const { stdout } = await promisify(execFile)('dig', line.split(' ').slice(1));
        expect(stdout).toMatch(/XFR size: [1-9]\d* records/);
      }

      const token = /sluice_\S+/.exec(first.output)?.[0] ?? '';
      const answer = await fetch(`http://127.0.0.1:${http}/api/v1/policies`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.status).toBe(200);
      // Only its hash is kept, and nobody else may read what is.
      expect(readFileSync(join(folder, 'data', 'sluice.sqlite')).includes(token)).toBe(false);
      expect(statSync(join(folder, 'data', 'secret.key')).mode & 0o777).toBe(0o600);
      expect(await first.stop()).toBe(0);

      const second = await start(config);
      expect(serialsIn(second.output)).toEqual(serials);
      expect(second.output).not.toContain('sluice_');
      expect(await second.stop()).toBe(0);
    },
  );

  it('that fails for a taken port loses no token: the next one tells it', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const http = typeof address === 'object' && address !== null ? address.port : 0;
    const config = join(folder, 'taken.yaml');
    writeFileSync(
      config,
      `dataDirectory: ${JSON.stringify(join(folder, 'taken'))}
dns: { listen: [{ address: 127.0.0.1, port: ${await freePort()} }] }
http: { listen: { port: ${http} } }
log: { level: silent }
`,
    );
    await expect(start(config)).rejects.toThrow('did not start');
    await new Promise((resolve) => taken.close(resolve));
    const next = await start(config);
    expect(next.output).toMatch(/sluice_\S+/);
    expect(await next.stop()).toBe(0);
  });
});
