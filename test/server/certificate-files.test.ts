import { copyFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Config, loadDnsTls, parseConfig } from '../../src/config/index.ts';
import { followDnsTls } from '../../src/follow-dns-tls.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import {
  type IssuedCertificate,
  makeAuthority,
  type TestAuthority,
} from '../support/certificate.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';
import { afterwards, echo, scene, until } from './scene.ts';

const POLL_MS = 30;

interface Followed {
  readonly config: Config;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly authority: TestAuthority;
  readonly logged: string[];
  readonly follower: ReturnType<typeof followDnsTls>;
  /** Whether a client that trusts this authority alone is content with what it is shown. */
  trusts(authority: TestAuthority): Promise<boolean>;
}

function settings(certificateFile: string, keyFile: string): Config {
  const listen = '[{address: 127.0.0.1, port: 853}]';
  return parseConfig(
    `dns: {tls: {listen: ${listen}, certificateFile: ${certificateFile}, keyFile: ${keyFile}}}`,
    'test',
  );
}

async function followed(): Promise<Followed> {
  const directory = temporaryDirectory();
  const [certificateFile, keyFile] = ['server.pem', 'server.key'].map((name) =>
    join(directory, name),
  ) as [string, string];
  const authority = makeAuthority();
  const issued = issue(authority);
  copyFileSync(issued.certificateFile, certificateFile);
  copyFileSync(issued.keyFile, keyFile);
  const config = settings(certificateFile, keyFile);
  const tls = { listen: [{ address: '127.0.0.1', port: 0 }], identity: loadDnsTls(config)! };
  const made = await scene(echo(), { tls });
  const logged: string[] = [];
  const note = (_: unknown, message?: string) => void logged.push(message ?? '');
  const log = { info: note, error: note } as Parameters<typeof followDnsTls>[0]['log'];
  const follower = followDnsTls({ config, server: made.server, log, pollMs: POLL_MS });
  afterwards(follower.stop);
  return {
    config,
    certificateFile,
    keyFile,
    authority,
    logged,
    follower,
    trusts: async ({ certificate }) => {
      try {
        (await made.tls({ ca: certificate })).destroy();
        return true;
      } catch {
        return false;
      }
    },
  };
}

const issue = (authority: TestAuthority): IssuedCertificate =>
  authority.issue({ for: 'server', names: 'DNS:localhost' });

describe.skipIf(!requirePeer('openssl'))('the certificate files of DNS over TLS', () => {
  it('are used as soon as both have changed, and until then those from before', async () => {
    const { authority, certificateFile, keyFile, logged, trusts } = await followed();
    const other = makeAuthority('Other');
    const issued = issue(other);
    copyFileSync(issued.certificateFile, certificateFile);
    await until(() => logged.includes('the certificates of DNS over TLS stay as they were'));
    expect([await trusts(authority), await trusts(other)]).toEqual([true, false]);
    copyFileSync(issued.keyFile, keyFile);
    await until(() => logged.includes('DNS over TLS has its certificates anew'));
    expect([await trusts(authority), await trusts(other)]).toEqual([false, true]);
  });

  it('may be replaced by renaming, and be links to what changes', async () => {
    const { certificateFile, keyFile, logged, trusts, follower } = await followed();
    const directory = temporaryDirectory();
    const linked = settings(join(directory, 'now', 'pem'), join(directory, 'now', 'key'));
    const issues = ['First', 'Second'].map((name) => {
      const authority = makeAuthority(name, temporaryDirectory());
      const issued = issue(authority);
      const folder = temporaryDirectory();
      copyFileSync(issued.certificateFile, join(folder, 'pem'));
      copyFileSync(issued.keyFile, join(folder, 'key'));
      return { authority, issued, folder };
    });
    const [first, second] = issues as [(typeof issues)[0], (typeof issues)[0]];
    renameSync(first.issued.certificateFile, certificateFile);
    renameSync(first.issued.keyFile, keyFile);
    await until(() => logged.includes('DNS over TLS has its certificates anew'));
    expect(await trusts(first.authority)).toBe(true);

    // As Kubernetes replaces a mounted secret: the folder is a link, and a rename moves it.
    symlinkSync(first.folder, join(directory, 'now'));
    follower.use(linked);
    symlinkSync(second.folder, join(directory, 'next'));
    renameSync(join(directory, 'next'), join(directory, 'now'));
    const before = logged.length;
    await until(() => logged.length > before);
    expect(await trusts(second.authority)).toBe(true);
  });

  it('named anew by a reload are looked at before they are used', async () => {
    const { config, authority, follower, trusts } = await followed();
    const missing = settings('/nowhere/server.pem', '/nowhere/server.key');
    expect(() => follower.check?.(missing)).toThrow('/nowhere/server.pem');
    follower.check?.(config);
    const other = makeAuthority('Other');
    const issued = issue(other);
    follower.use(settings(issued.certificateFile, issued.keyFile));
    expect([await trusts(authority), await trusts(other)]).toEqual([false, true]);
  });

  it('that become unreadable change nothing', async () => {
    const { authority, certificateFile, logged, trusts } = await followed();
    writeFileSync(certificateFile, 'nothing');
    await until(() => logged.length > 0);
    expect(logged).toEqual(['the certificates of DNS over TLS stay as they were']);
    expect(await trusts(authority)).toBe(true);
  });
});
