import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { findProgram, requirePeer } from '../interop/peers/require-peer.ts';
import { startTestSluice, temporaryDirectory } from '../support/test-sluice.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../../scripts/tier-config.ts', import.meta.url));
const ROOT = 'sluice.internal';

/** What the script wrote, or how it failed. */
interface Outcome {
  readonly files: readonly string[];
  readonly code: number;
  readonly complaint: string;
}

/** A running Sluice with an IP policy, and the script run against it in a folder of its own. */
async function openScene() {
  const sluice = await startTestSluice();
  await sluice.api('POST', '/policies', { name: 'tiered', type: 'ip' });
  const folder = temporaryDirectory();
  const { address, port } = sluice.http;
  const configure = async (...args: string[]): Promise<Outcome> => {
    const env = { ...process.env, SLUICE_TOKEN: sluice.adminToken };
    const common = ['--api', `http://${address}:${port}`, '--out', folder];
    try {
      const { stdout } = await run(process.execPath, [SCRIPT, ...common, ...args], { env });
      return { files: stdout.trim().split('\n'), code: 0, complaint: '' };
    } catch (error) {
      const { code = -1, stderr = '' } = error as { code?: number; stderr?: string };
      return { files: [], code, complaint: stderr };
    }
  };
  const textOf = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');
  const devices = async (name: string) =>
    (await sluice.api<{ items: object[] }>('GET', `/devices?q=${name}`)).items;
  return { sluice, folder, configure, textOf, devices };
}

const primary = ['--primary', '127.0.0.1', '--port', '5300'];

describe('tier-config', () => {
  it('makes a secondary with a key, and files for BIND that only their owner reads', async () => {
    const { configure, folder, textOf, devices } = await openScene();
    const made = await configure(
      '--for',
      'bind',
      '--device',
      'tier-bind',
      '--own',
      '127.0.0.2',
      ...primary,
    );
    expect(made.complaint).toBe('');
    expect(made.files.map((file) => file.slice(folder.length + 1))).toEqual([
      'sluice-key.conf',
      'sluice-catalog-options.conf',
      'sluice-catalog.conf',
    ]);
    for (const file of made.files) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await textOf('sluice-catalog.conf')).toContain(`zone "catalog.main.${ROOT}" {`);
    expect(await devices('tier-bind')).toMatchObject([
      {
        name: 'tier-bind',
        type: 'secondary',
        scope: 'account',
        profile: 'bind',
        notify: [{ address: '127.0.0.2', port: 53 }],
        catalogZone: `catalog.main.${ROOT}.`,
      },
    ]);
    if (!requirePeer('named-checkconf')) return;
    const config = join(folder, 'named.conf');
    await writeFile(
      config,
      [
        'include "sluice-key.conf";',
        `options { directory "${folder}"; include "sluice-catalog-options.conf"; };`,
        'include "sluice-catalog.conf";',
      ].join('\n'),
    );
    await run(findProgram('named-checkconf')!, [config], { cwd: folder });
  });

  it('takes the key of a device that exists from where it was put, and needs it', async () => {
    const { configure, folder, textOf } = await openScene();
    await configure('--for', 'bind', '--device', 'tier-bind', '--own', '127.0.0.2', ...primary);
    const again = ['--for', 'knot', '--device', 'tier-bind', ...primary];
    const refused = await configure(...again);
    expect(refused.code).toBe(2);
    expect(refused.complaint).toContain('--key-file is needed');
    const { files } = await configure(
      ...again,
      '--key-file',
      join(folder, 'sluice-key.conf'),
      '--state',
      folder,
    );
    expect(files).toHaveLength(1);
    const secret = /secret "([^"]+)"/.exec(await textOf('sluice-key.conf'))![1];
    expect(await readFile(files[0]!, 'utf8')).toContain(`secret: "${secret}"`);
    if (requirePeer('knotc')) await run(findProgram('knotc')!, ['-c', files[0]!, 'conf-check']);
  });

  it('lists the zones for NSD, which follows no catalog', async () => {
    const { configure, folder, textOf } = await openScene();
    const { files } = await configure(
      '--for',
      'nsd',
      '--device',
      'tier-nsd',
      '--own',
      '127.0.0.3',
      ...primary,
    );
    expect(files).toHaveLength(2);
    const text = await textOf('sluice-zones.conf');
    for (const side of ['block', 'allow']) {
      expect(text).toContain(`name: "${side}.tiered.main.${ROOT}"`);
    }
    expect(text).not.toContain('name: "catalog.');
    if (!requirePeer('nsd-checkconf')) return;
    const config = join(folder, 'nsd.conf');
    await writeFile(config, 'include: "sluice-key.conf"\ninclude: "sluice-zones.conf"\n');
    await run(findProgram('nsd-checkconf')!, [config], { cwd: folder });
  });

  it('has PowerDNS known by its address, for the whole server if that is asked', async () => {
    const { configure, devices } = await openScene();
    const { files } = await configure(
      '--for',
      'powerdns',
      '--device',
      'tier-pdns',
      '--own',
      '127.0.0.4',
      '--scope',
      'server',
      ...primary,
    );
    expect(await readFile(files[0]!, 'utf8')).toContain(
      `VALUES ('catalog.${ROOT}', '127.0.0.1:5300', 'CONSUMER')`,
    );
    expect(await devices('tier-pdns')).toMatchObject([
      { access: 'source', sources: ['127.0.0.4/32'], scope: 'server' },
    ]);
  });

  it('leaves the lines with a key out for a server that is known by its address', async () => {
    const { configure, folder, sluice } = await openScene();
    const tier = { name: 'tier', type: 'secondary', access: 'source', sources: ['127.0.0.5'] };
    await sluice.api('POST', '/devices', tier);
    const by = ['--device', 'tier', '--state', folder, ...primary];
    const knot = await configure('--for', 'knot', ...by);
    expect(knot.complaint).toBe('');
    expect(await readFile(knot.files[0]!, 'utf8')).not.toMatch(/^[^#]*<key-/m);
    if (requirePeer('knotc'))
      await run(findProgram('knotc')!, ['-c', knot.files[0]!, 'conf-check']);
  });

  it('takes a file that was there from everybody, and leaves it to the group that had it', async () => {
    const { configure, folder } = await openScene();
    const [key, catalog] = ['sluice-key.conf', 'sluice-catalog.conf'].map((f) => join(folder, f));
    await writeFile(key!, 'old');
    await writeFile(catalog!, 'old');
    await chmod(key!, 0o644);
    await chmod(catalog!, 0o640);
    await configure('--for', 'bind', '--device', 'tier', '--own', '127.0.0.2', ...primary);
    expect(await readFile(key!, 'utf8')).toContain('secret');
    for (const file of [key!, catalog!]) expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  it('leaves no device behind whose key nobody has, when the files cannot be written', async () => {
    const { configure, devices, folder } = await openScene();
    const making = ['--for', 'bind', '--device', 'tier', '--own', '127.0.0.2', ...primary];
    const { code, complaint } = await configure(...making, '--out', join(folder, 'none'));
    expect(code).toBe(1);
    expect(complaint).toContain('ENOENT');
    expect(await devices('tier')).toEqual([]);
    expect((await configure(...making)).code).toBe(0);
  });

  it('says what is wrong, and writes nothing', async () => {
    const { configure, folder, sluice } = await openScene();
    expect(await configure('--for', 'djbdns', '--device', 'x', ...primary)).toMatchObject({
      code: 2,
      complaint: expect.stringContaining('--for is one of bind, knot, nsd, powerdns'),
    });
    expect(await configure('--for', 'knot', '--device', 'new', ...primary)).toMatchObject({
      code: 2,
      complaint: expect.stringContaining('--own is needed'),
    });
    await sluice.api('POST', '/devices', { name: 'plain', type: 'dns' });
    expect(await configure('--for', 'knot', '--device', 'plain', ...primary)).toMatchObject({
      code: 1,
      complaint: expect.stringContaining('a secondary is needed'),
    });
    expect(await readdir(folder)).toEqual([]);
  });
});
