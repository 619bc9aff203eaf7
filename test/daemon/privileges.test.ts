import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requirePeer } from '../interop/peers/index.ts';
import { makeCertificate } from '../support/certificate.ts';
import { freePorts } from '../support/child-sluice.ts';
import { askByTcp, askByUdp } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';
import { startDaemon } from './daemon.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot && process.env.SLUICE_REQUIRE_PEERS === '1') {
  throw new Error('SLUICE_REQUIRE_PEERS=1, but only root can give up its rights');
}

const number = (...args: string[]) => Number(execFileSync('id', args).toString());
const nobody = isRoot ? { uid: number('-u', 'nobody'), gid: number('-g', 'nobody') } : null!;

/** A port that only root may bind, and that nobody has here. */
const PRIVILEGED_PORT = 1_021;

/** A directory below which the unprivileged user may reach its own, and nothing is its own yet. */
function openDirectory(): string {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  return directory;
}

function ownDirectory(): string {
  const directory = openDirectory();
  mkdirSync(join(directory, 'data'), { mode: 0o700 });
  chownSync(join(directory, 'data'), nobody.uid, nobody.gid);
  return directory;
}

/** All ids of a process: real, effective, saved and of the file system. */
function idsOf(pid: number, line: 'Uid' | 'Gid' | 'Groups' | 'CapEff'): string[] {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${line}:\\s*(.*)$`, 'm').exec(status)![1]!.trim().split(/\s+/);
}

describe.skipIf(!isRoot)('a server that was started as root', () => {
  it('has a privileged port and becomes the user, with nothing of root left in any thread', async () => {
    const directory = ownDirectory();
    const { http } = await freePorts();
    const ports = { dns: PRIVILEGED_PORT, http };
    const daemon = await startDaemon({ directory, ports, yaml: 'process: {user: nobody}' });
    await daemon.started;
    for (const ask of [askByUdp, askByTcp]) {
      expect((await ask(daemon.dns, makeQuery('sluice.internal.', 'SOA'))).rcode).toBe(5);
    }
    const threads = readdirSync(`/proc/${daemon.pid}/task`);
    expect(threads.length).toBeGreaterThan(5);
    for (const thread of threads.map(Number)) {
      expect(idsOf(thread, 'Uid')).toEqual(Array(4).fill(String(nobody.uid)));
      expect(idsOf(thread, 'Gid')).toEqual(Array(4).fill(String(nobody.gid)));
      expect(idsOf(thread, 'Groups')).toEqual([String(nobody.gid)]);
      expect(idsOf(thread, 'CapEff')).toEqual(['0000000000000000']);
    }
  });

  it('has made nothing as root in the data directory', async () => {
    const directory = ownDirectory();
    const daemon = await startDaemon({ directory, yaml: 'process: {user: nobody}' });
    await daemon.started;
    const data = join(directory, 'data');
    const files = readdirSync(data);
    expect(files).toEqual(expect.arrayContaining(['sluice.sqlite', 'secret.key']));
    for (const file of files) {
      const { uid, gid } = statSync(join(data, file));
      expect({ file, uid, gid }).toEqual({ file, ...nobody });
    }
  });

  it('takes the group that is named instead of the main one of the user', async () => {
    const directory = ownDirectory();
    const yaml = 'process: {user: nobody, group: daemon}';
    const daemon = await startDaemon({ directory, yaml });
    await daemon.started;
    const gid = execFileSync('getent', ['group', 'daemon']).toString().split(':')[2]!;
    expect(idsOf(daemon.pid, 'Gid')).toEqual(Array(4).fill(gid));
    expect(idsOf(daemon.pid, 'Groups')).not.toContain('0');
  });

  it.each([
    [
      'process: {user: no-such-user}',
      /^sluice cannot start: process\.user: no-such-user: there is no such one on this system$/m,
    ],
    [
      'process: {user: nobody, group: no-such-group}',
      /^sluice cannot start: process\.group: no-such-group: there is no such one/m,
    ],
    [
      'process: {user: root}',
      /^sluice cannot start: process\.user: root: it must be an unprivileged user/m,
    ],
  ])('does not start with %s, and has made nothing', async (yaml, message) => {
    const daemon = await startDaemon({ yaml });
    expect(await daemon.exited).toEqual({ code: 1, signal: null });
    expect(daemon.output()).toMatch(message);
    expect(existsSync(join(daemon.directory, 'data'))).toBe(false);
  });

  it('does not start when the user cannot make or write the data directory', async () => {
    const missing = await startDaemon({
      directory: openDirectory(),
      yaml: 'process: {user: nobody}',
    });
    expect((await missing.exited).code).toBe(1);
    expect(missing.output()).toMatch(
      /^sluice cannot start: dataDirectory: .* must be able to read and write .*EACCES/m,
    );

    const directory = openDirectory();
    mkdirSync(join(directory, 'data'), { mode: 0o755 });
    const foreign = await startDaemon({ directory, yaml: 'process: {user: nobody}' });
    expect((await foreign.exited).code).toBe(1);
    expect(foreign.output()).toMatch(/^sluice cannot start: dataDirectory: .*EACCES/m);
    expect(readdirSync(join(directory, 'data'))).toEqual([]);
  });

  it.skipIf(!requirePeer('openssl'))(
    'does not start when the user cannot read the key of DNS over TLS, which it will read again',
    async () => {
      const directory = ownDirectory();
      const { certificateFile, keyFile } = makeCertificate('sluice.example');
      const { dns, http } = await freePorts();
      chmodSync(dirname(keyFile), 0o755);
      chmodSync(keyFile, 0o600);
      const yaml = [
        '  tls:',
        `    listen: [{address: 127.0.0.2, port: ${dns}}]`,
        `    certificateFile: ${certificateFile}`,
        `    keyFile: ${keyFile}`,
        'process: {user: nobody}',
      ].join('\n');
      const refused = await startDaemon({ directory, ports: { dns, http }, yaml });
      expect((await refused.exited).code).toBe(1);
      expect(refused.output()).toContain(`${keyFile}: which dns.tls.keyFile names, cannot be read`);
      chownSync(keyFile, nobody.uid, nobody.gid);
      const started = await startDaemon({ directory, ports: { dns, http }, yaml });
      await started.started;
    },
  );

  it('does not start over files that root made there before', async () => {
    const directory = openDirectory();
    const before = await startDaemon({ directory });
    await before.started;
    before.signal('SIGTERM');
    expect((await before.exited).code).toBe(0);
    chownSync(join(directory, 'data'), nobody.uid, nobody.gid);
    const after = await startDaemon({ directory, yaml: 'process: {user: nobody}' });
    expect((await after.exited).code).toBe(1);
    expect(after.output()).toMatch(/sluice\.sqlite \(EACCES\)/);
  });
});

describe.skipIf(!isRoot || !requirePeer('setpriv'))('a server that was not started as root', () => {
  const asNobody = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'];

  it('refuses to become another user', async () => {
    const yaml = 'process: {user: daemon}';
    const directory = ownDirectory();
    const daemon = await startDaemon({ directory, yaml, through: asNobody });
    expect((await daemon.exited).code).toBe(1);
    expect(daemon.output()).toMatch(
      /^sluice cannot start: process\.user: daemon: only root can become another user/m,
    );
    expect(readdirSync(join(directory, 'data'))).toEqual([]);
  });

  it('starts when it runs as that user already', async () => {
    const yaml = 'process: {user: nobody}';
    const daemon = await startDaemon({ directory: ownDirectory(), yaml, through: asNobody });
    await daemon.started;
    expect(idsOf(daemon.pid, 'Uid')).toEqual(Array(4).fill(String(nobody.uid)));
  });

  it('names the port that it may not have', async () => {
    const { http } = await freePorts();
    const ports = { dns: PRIVILEGED_PORT, http };
    const daemon = await startDaemon({ directory: ownDirectory(), ports, through: asNobody });
    expect((await daemon.exited).code).toBe(1);
    expect(daemon.output()).toMatch(/^sluice cannot start: bind EACCES 127\.0\.0\.1:1021$/m);
  });
});
