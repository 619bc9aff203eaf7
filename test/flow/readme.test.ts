import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { requirePeer } from '../interop/peers/index.ts';
import { startTestSluice } from '../support/test-sluice.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The shell block of the README that follows a heading. */
function blockAfter(heading: string): string {
  const block = /```sh\n(.*?)```/s.exec(README.slice(README.indexOf(heading)))?.[1];
  if (block === undefined) throw new Error(`the README has no shell block after "${heading}"`);
  return block;
}

describe("the README's example", () => {
  it.skipIf(!requirePeer('curl'))('makes a policy over the API as it stands there', async () => {
    const server = await startTestSluice({ yaml: 'sampleCatalogue: true' });
    const script = blockAfter('## A policy in five calls').replace(
      'http://127.0.0.1:8053',
      `http://127.0.0.1:${server.http.port}`,
    );
    const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', script], {
      env: { ...process.env, TOKEN: server.adminToken },
    });
    expect(stdout).not.toContain('"status":4');
    const explained = JSON.parse(stdout.slice(stdout.lastIndexOf('{"query"')));
    expect(explained).toMatchObject({
      query: 'www.login-bank.example.',
      verdict: { kind: 'nxdomain' },
    });
    const soa = await server.udp('rpz.mine.main.sluice.internal.', 'SOA');
    expect(soa.answers).toHaveLength(1);
  });
});
