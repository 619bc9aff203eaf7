import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigurationError, loadConfig, parseConfig } from '../../src/config/index.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function fileWith(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

describe('loading the configuration', () => {
  it('needs no file: the defaults are a working configuration on loopback', () => {
    const config = loadConfig({ env: {} });
    expect(config).toMatchObject({
      root: 'sluice.internal',
      account: 'main',
      dataDirectory: 'data',
      sampleCatalogue: true,
      dns: {
        listen: [{ address: '127.0.0.1', port: 5300 }],
        udpPayloadMaxOctets: 1232,
        tcp: { idleTimeoutMs: 10_000 },
      },
      tsig: { allowMd5: false, allowSha1: false },
      soa: {
        ns: 'ns.sluice.internal.',
        hostmaster: 'hostmaster.sluice.internal.',
        refreshSeconds: 900,
        retrySeconds: 300,
        expireSeconds: 14 * 86_400,
        minimumSeconds: 60,
      },
      policies: { ttlSeconds: 60 },
      journal: { revisionsMax: 100 },
      transfer: { frameCacheMaxOctets: 256 * 2 ** 20 },
      http: { listen: { address: '127.0.0.1', port: 8053 }, allowRemote: false },
    });
  });

  it('reads the file of --config, or else of SLUICE_CONFIG, or else none', () => {
    const first = fileWith('first.yaml', 'account: first\n');
    const second = fileWith('second.yaml', 'account: second\n');
    expect(loadConfig({ path: first, env: { SLUICE_CONFIG: second } }).account).toBe('first');
    expect(loadConfig({ env: { SLUICE_CONFIG: second } }).account).toBe('second');
    expect(loadConfig({ env: { SLUICE_CONFIG: '' } }).account).toBe('main');
  });

  it('keeps the defaults of everything that the file does not name', () => {
    const config = parseConfig('dns:\n  tcp:\n    idleTimeout: 2m\n', 'test.yaml');
    const defaults = loadConfig({ env: {} });
    expect(config.dns.tcp.idleTimeoutMs).toBe(120_000);
    const restored = { ...config.dns.tcp, idleTimeoutMs: defaults.dns.tcp.idleTimeoutMs };
    expect({ ...config, dns: { ...config.dns, tcp: restored } }).toEqual(defaults);
  });

  it('takes groups without any key, as they are when every key is commented out', () => {
    expect(parseConfig('dns:\n  tcp:\nsoa:\n', 'test.yaml')).toEqual(loadConfig({ env: {} }));
  });

  it('freezes what it gives, to the bottom', () => {
    const config = loadConfig({ env: {} });
    expect(Object.isFrozen(config.dns.listen[0])).toBe(true);
    expect(() => Object.assign(config.soa, { retrySeconds: 1 })).toThrow(TypeError);
  });

  it('writes names in lower case, absolute, with the root in its place', () => {
    const config = parseConfig(
      'root: Policies.Example.\nsoa:\n  hostmaster: DNS\\.team.<root>\n  ns: ns1.example.net\n',
      'test.yaml',
    );
    expect(config.root).toBe('policies.example');
    expect(config.soa.hostmaster).toBe('dns\\.team.policies.example.');
    expect(config.soa.ns).toBe('ns1.example.net.');
  });

  it('says which file it could not read', () => {
    const file = join(directory, 'missing.yaml');
    expect(() => loadConfig({ path: file, env: {} })).toThrow(`${file}: cannot be read: ENOENT`);
  });

  it('refuses a file that is far too large to be a configuration', () => {
    const file = fileWith('large.yaml', `# ${'x'.repeat(2 ** 20)}\n`);
    expect(() => loadConfig({ path: file, env: {} })).toThrow('it is larger than 1048576 octets');
  });

  it('throws one error that holds every problem as data', () => {
    try {
      parseConfig('account: ""\nroot: a.test\n', 'test.yaml');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      const { problems, code } = error as ConfigurationError;
      expect(code).toBe('ERR_CONFIGURATION');
      expect(problems.map(({ path, position }) => [path, position?.line])).toEqual([
        ['account', 1],
        ['root', 2],
      ]);
    }
  });
});
