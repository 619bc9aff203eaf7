import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requirePeer } from '../interop/peers/index.ts';
import { freePorts } from '../support/child-sluice.ts';
import { askByUdp } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { servePolicy } from '../support/test-sluice.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { beginSlowTransfer, manyLines, SLOW_RECORDS, slowTransferOn } from './slow-transfer.ts';
import { nameIn, openTls, replaceableCertificate } from './tls-client.ts';

const TAKEN = 'the configuration was read again';
const REFUSED = 'the configuration is refused; the one before stays in use';
const CHAOS = 3;

const logging = async (daemon: Daemon) =>
  (await daemon.api<{ logging: object }>('GET', '/server/logging')).logging;
const versionOf = async ({ dns }: Daemon) => {
  const { rcode, answers } = await askByUdp(
    dns,
    makeQuery('version.bind.', 'TXT', { class: CHAOS }),
  );
  return { rcode, text: answers.map(({ rdata }) => Buffer.from(rdata.subarray(1)).toString()) };
};

describe('SIGHUP', () => {
  it('takes what can be taken, names what needs a restart, and answers go on', async () => {
    const daemon = await startDaemon({ yaml: 'log: {level: info}' });
    await daemon.started;
    expect((await versionOf(daemon)).text).toEqual([]);
    daemon.configure(
      [
        '  identity: {version: from the file}',
        'log: {level: debug, queries: true, transfers: false}',
        'soa: {refresh: 600s}',
        'account: north',
      ].join('\n'),
    );
    daemon.signal('SIGHUP');
    expect(await daemon.record(TAKEN)).toMatchObject({
      taken: ['dns.identity.version', 'log.level', 'log.queries', 'log.transfers'],
    });
    expect(await daemon.record('these settings differ and need a restart')).toMatchObject({
      level: 40,
      settings: ['soa.refresh'],
    });
    expect(
      await daemon.record('these settings count when a database is made, and change nothing now'),
    ).toMatchObject({ settings: ['account'] });
    expect(await logging(daemon)).toEqual({ level: 'debug', queries: true, transfers: false });
    expect(await versionOf(daemon)).toEqual({ rcode: 0, text: ['from the file'] });

    // What is still waiting for the restart is named again; nothing else has changed.
    daemon.signal('SIGHUP');
    expect(await daemon.record(TAKEN, 1)).toMatchObject({ taken: [] });
    expect((await daemon.record('these settings differ and need a restart', 1)).settings).toEqual([
      'soa.refresh',
    ]);
  });

  it('takes limits on UDP answers', async () => {
    const daemon = await startDaemon();
    await daemon.started;
    const ask = () => askByUdp(daemon.dns, makeQuery('sluice.internal.', 'SOA'), 500);
    for (let times = 0; times < 5; times++) expect((await ask()).rcode).toBe(5);
    daemon.configure('  rateLimit: {answersPerSecond: 1, slip: 0}');
    daemon.signal('SIGHUP');
    await daemon.record(TAKEN);
    const outcomes = await Promise.allSettled([ask(), ask(), ask(), ask(), ask()]);
    expect(outcomes.map(({ status }) => status)).toContain('rejected');
  });

  it('takes what new policies begin with, and what a change is held for', async () => {
    const daemon = await startDaemon();
    await daemon.started;
    const { targetId } = await servePolicy(daemon, {
      name: 'corp',
      type: 'dns',
      lines: ['one.example', 'two.example', 'three.example'],
    });
    daemon.configure('policies: {ttl: 300s}\nchanges: {recordsMin: 0, holdShrinkPercent: 10}');
    daemon.signal('SIGHUP');
    await daemon.record(TAKEN);
    const { policy } = await daemon.api<{ policy: { ttl: number } }>('POST', '/policies', {
      name: 'later',
      type: 'dns',
    });
    expect(policy.ttl).toBe(300);
    const shrink = daemon.api('PUT', `/targets/${targetId}/indicators`, 'one.example');
    await expect(shrink).rejects.toThrow(/is held/);
  });

  it('refuses a bad file with all that is wrong in it, and stays as it was', async () => {
    const daemon = await startDaemon({ yaml: 'log: {queries: true}' });
    await daemon.started;
    daemon.configure('log: {level: loud, queries: perhaps}');
    daemon.signal('SIGHUP');
    expect(await daemon.record(REFUSED)).toMatchObject({
      level: 50,
      problems: [
        { file: daemon.configFile, path: 'log.level', message: expect.stringContaining('loud') },
        { path: 'log.queries', message: expect.stringContaining('perhaps') },
      ],
    });
    expect(await logging(daemon)).toEqual({ level: 'info', queries: true, transfers: true });

    daemon.configure('not: [a, configuration');
    daemon.signal('SIGHUP');
    await daemon.record(REFUSED, 1);
    daemon.configure('log: {queries: false}');
    daemon.signal('SIGHUP');
    await daemon.record(TAKEN);
    expect(await logging(daemon)).toEqual({ level: 'info', queries: false, transfers: true });
  });

  it('takes nothing at all when a file that the settings name cannot be used', async () => {
    const daemon = await startDaemon();
    await daemon.started;
    const secretFile = join(daemon.directory, 'cookies');
    writeFileSync(secretFile, 'this is no secret of 32 digits\n');
    daemon.configure(`  cookies: {secretFile: ${secretFile}}\nlog: {level: debug}`);
    daemon.signal('SIGHUP');
    expect(JSON.stringify(await daemon.record(REFUSED))).toContain(secretFile);
    expect(await logging(daemon)).toMatchObject({ level: 'info' });
    // What is in such a file is not for the log.
    expect(daemon.output()).not.toContain('this is no secret');
  });

  it('has the file count again where the admin API switched the log', async () => {
    const daemon = await startDaemon();
    await daemon.started;
    await daemon.api('PATCH', '/server/logging', { level: 'debug', queries: true });
    daemon.signal('SIGHUP');
    await daemon.record(TAKEN);
    expect(await logging(daemon)).toEqual({ level: 'info', queries: false, transfers: true });
  });

  it('leaves a transfer that runs whole, while it is sent again and again', async () => {
    const daemon = await startDaemon();
    await daemon.started;
    const { zone } = await servePolicy(daemon, { name: 'slow', type: 'dns', lines: [manyLines()] });
    const transfer = await beginSlowTransfer(daemon.dns, zone);
    for (let times = 0; times < 5; times++) {
      daemon.configure(`log: {level: ${times % 2 === 0 ? 'debug' : 'info'}}`);
      daemon.signal('SIGHUP');
      await daemon.record(TAKEN, times);
    }
    expect(await transfer.finish()).toBe(SLOW_RECORDS);
  });
});

describe.skipIf(!requirePeer('openssl'))('SIGHUP, with DNS over TLS', () => {
  it('has new connections see the new certificate, and a running transfer go on under the old', async () => {
    const { authority, files, use } = replaceableCertificate();
    use('DNS:first.example');
    const ports = await freePorts();
    const tls = { address: '127.0.0.1', port: (await freePorts()).dns };
    const yaml = [
      '  tls:',
      `    listen: [{address: ${tls.address}, port: ${tls.port}}]`,
      `    certificateFile: ${files.certificateFile}`,
      `    keyFile: ${files.keyFile}`,
    ].join('\n');
    const daemon = await startDaemon({ ports, yaml });
    await daemon.started;
    expect(daemon.output()).toContain(`DNS    127.0.0.1 port ${tls.port}, TLS\n`);
    expect((await daemon.record('listening')).tls).toEqual([tls]);

    const { zone } = await servePolicy(daemon, { name: 'slow', type: 'dns', lines: [manyLines()] });
    const connection = await openTls(tls.port, authority);
    expect(nameIn(connection)).toBe('DNS:first.example');
    const transfer = await slowTransferOn(connection, zone);
    use('DNS:second.example');
    daemon.configure(`${yaml}\nlog: {level: debug}`);
    daemon.signal('SIGHUP');
    await daemon.record(TAKEN);
    expect(nameIn(await openTls(tls.port, authority))).toBe('DNS:second.example');
    expect(await transfer.finish()).toBe(SLOW_RECORDS);
    expect(nameIn(connection)).toBe('DNS:first.example');
  });
});
