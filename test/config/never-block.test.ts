import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getPublicSuffix } from 'tldts';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, loadNeverBlock, parseNeverBlock } from '../../src/config/index.ts';
import { parseIndicator } from '../../src/indicators/index.ts';

const ZONES = join(import.meta.dirname, '../../zones');
const text = readFileSync(join(ZONES, 'never-block.txt'), 'utf8');
const list = loadNeverBlock(ZONES);

function refusal(source: string): string[] {
  try {
    parseNeverBlock(source, 'f');
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message.split('\n');
    throw error;
  }
  return [];
}

/** The lines of each group: what stands between two empty lines, without its heading. */
const groups = text
  .split('\n\n')
  .map((group) => group.split('\n').filter((line) => line !== '' && !line.startsWith('#')))
  .filter((lines) => lines.length > 0);

describe('zones/never-block.txt', () => {
  it('names what most depends on: sites, mail, delivery, updates, certificates, time, DNS, payment', () => {
    expect(list.names.length).toBeGreaterThan(400);
    expect(list.names).toEqual(
      expect.arrayContaining([
        'google.com',
        'outlook.com',
        'cloudfront.net',
        'windowsupdate.com',
        'ocsp.digicert.com',
        'lencr.org',
        'pool.ntp.org',
        'root-servers.net',
        'cloudflare-dns.com',
        'stripe.com',
      ]),
    );
  });

  it('has the addresses of the open resolvers and of all thirteen root servers in both families', () => {
    expect(list.prefixes).toEqual(
      expect.arrayContaining([
        '1.1.1.1',
        '8.8.8.8',
        '9.9.9.9',
        '208.67.222.222',
        '2606:4700:4700::1111',
        '2001:4860:4860::8888',
        '2620:fe::fe',
      ]),
    );
    const roots = groups.find((lines) => lines.includes('198.41.0.4'))!;
    expect(roots.filter((line) => !line.includes(':'))).toHaveLength(13);
    expect(roots.filter((line) => line.includes(':'))).toHaveLength(13);
  });

  it('can be read as indicators, every line of it', () => {
    const options = { ownerOctetsMax: 159, isPublicSuffix: () => false };
    const refused = [...list.names, ...list.prefixes].filter(
      (line) => !parseIndicator(line, options).ok,
    );
    expect(refused).toEqual([]);
  });

  it('names no suffix of a registry: those are known by rule', () => {
    expect(list.names.filter((name) => getPublicSuffix(name) === name)).toEqual([]);
  });

  it('names nothing that is there for examples', () => {
    expect(list.names.filter((name) => /(^|\.)(example|test|invalid)(\.|$)/.test(name))).toEqual(
      [],
    );
  });

  it('has its names sorted in each group, each group under a heading', () => {
    expect(groups.length).toBeGreaterThan(15);
    for (const lines of groups) {
      if (lines.some((line) => list.prefixes.includes(line))) continue;
      expect(lines).toEqual(lines.toSorted());
    }
    const blocks = text.split('\n\n').filter((block) => block.trim() !== '');
    expect(blocks.filter((block) => !block.startsWith('# '))).toEqual([]);
  });
});

describe('a list of what must never be blocked', () => {
  it('tells names, addresses and prefixes apart, and passes over comments', () => {
    const source = '# heading\n\na.example\n192.0.2.1\n192.0.2.0/24\n2001:db8::/32\n2001:db8::1\n';
    expect(parseNeverBlock(source, 'f')).toEqual({
      names: ['a.example'],
      prefixes: ['192.0.2.1', '192.0.2.0/24', '2001:db8::/32', '2001:db8::1'],
    });
  });

  it.each([
    'Google.com',
    'google.com.',
    '.google.com',
    'google..com',
    'com',
    '*.google.com',
    'host:google.com',
    ' google.com',
    'google.com # search',
    'a_b.example',
    '-a.example',
    '1.2.3',
    '300.1.1.1',
    '192.0.2.0/33',
    'fe80::1%eth0',
    'http://google.com',
    `${'a'.repeat(64)}.example`,
  ])('refuses the line %j and says where it stands', (line) => {
    const [problem, ...others] = refusal(`a.example\n${line}\n`);
    expect(others).toEqual([]);
    expect(problem).toMatch(
      /^f:2:1: .+ is neither a name in lower case without final dot, nor an address, nor a prefix$/,
    );
  });

  it('refuses what stands in it twice, and tells every problem at once', () => {
    expect(refusal('a.example\nB.example\na.example\n')).toEqual([
      'f:2:1: B.example is neither a name in lower case without final dot, nor an address, nor a prefix',
      'f:3:1: a.example stands in line 1 already',
    ]);
  });

  it('must be there', () => {
    expect(() => loadNeverBlock('/nowhere')).toThrow(
      /^\/nowhere\/never-block\.txt: cannot be read/,
    );
  });
});
