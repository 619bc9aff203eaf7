import { expect, it } from 'vitest';
import { dnsblIndicatorText } from '../../../src/feeds/upstream/dnsbl-owner.ts';

it.each([
  ['7.113.0.203', 'ip:203.0.113.7/32'],
  ['*.113.0.203', 'ip:203.0.113.0/24'],
  ['*.203', 'ip:203.0.0.0/8'],
  [
    '8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2',
    'ip:2001:0db8:0000:0000:0000:0000:0000:0008/128',
  ],
  ['*.8.b.d.0.1.0.0.2', 'ip:2001:0db8:0000:0000:0000:0000:0000:0000/32'],
  ['evil.example', 'name:evil.example'],
  ['*.evil.example', 'name:evil.example'],
])('RFC 5782: %s stands for %s', (owner, text) => {
  expect(dnsblIndicatorText(owner)).toBe(text);
});

it.each(['2.0.0.127', '113.0.203', 'test', 'invalid'])('RFC 5782: %s lists nothing', (owner) => {
  expect(dnsblIndicatorText(owner)).toBeNull();
});
