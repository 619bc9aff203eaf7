import { describe, expect, it } from 'vitest';
import { dnsNamesOf } from '../../src/server/certificate-names.ts';

describe('the DNS names of a certificate', () => {
  it('are its dNSNames, lower case, with final dot and each once', () => {
    expect(dnsNamesOf('DNS:A.example, IP Address:192.0.2.1, DNS:a.EXAMPLE, DNS:b')).toEqual([
      'a.example.',
      'b.',
    ]);
  });

  it('are none without any', () => {
    expect(dnsNamesOf(undefined)).toEqual([]);
    expect(dnsNamesOf('')).toEqual([]);
    expect(dnsNamesOf('URI:https://a.example/, email:a@b.example')).toEqual([]);
  });

  it.each([
    '*.example',
    'a.*.example',
    'a.example.',
    '.a.example',
    'a..example',
    '-a.example',
    'a-.example',
    'a example',
    'a\\.example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
    'bücher.example',
  ])('do not have %s among them, which is no host', (name) => {
    expect(dnsNamesOf(`DNS:${name}, DNS:ok.example`)).toEqual(['ok.example.']);
  });

  it('are not found inside of other entries', () => {
    expect(dnsNamesOf('URI:"https://a/, DNS:evil.example", DNS:ok.example')).toEqual([
      'ok.example.',
    ]);
    expect(dnsNamesOf('DNS:"a.example, DNS:evil.example"')).toEqual([]);
    expect(dnsNamesOf('DirName:"CN = \\", DNS:evil.example"')).toEqual([]);
  });

  it('are none of a text that is not understood to its end', () => {
    for (const text of [
      'DNS:a.example, ,',
      'DNS:a.example,DNS:b.example',
      'DNS:a.example, "',
      'x',
    ]) {
      expect(dnsNamesOf(text), text).toEqual([]);
    }
  });

  it('are none of a certificate with entries beyond all measure', () => {
    const entries = (count: number): string =>
      Array.from({ length: count }, (_, i) => `DNS:n${i}.example`).join(', ');
    expect(dnsNamesOf(entries(100))).toHaveLength(100);
    expect(dnsNamesOf(entries(101))).toEqual([]);
  });

  it('take no longer than a text of that length should', () => {
    const start = performance.now();
    dnsNamesOf(`DNS:"${'\\'.repeat(50_000)}`);
    dnsNamesOf('DNS:'.repeat(20_000));
    dnsNamesOf(`DNS:${'a.'.repeat(50_000)}`);
    expect(performance.now() - start).toBeLessThan(500);
  });
});
