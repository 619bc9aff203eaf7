import { describe, expect, it } from 'vitest';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import { readIndicatorLines } from '../../src/indicators/read-lines.ts';
import {
  CONFIRMABLE_REASONS,
  REJECTION_REASONS,
  type RejectionReason,
  rejectionSentence,
} from '../../src/indicators/rejection.ts';
import { PARSE_OPTIONS } from './parsing.ts';

/** One line that each reason is for. */
const EXAMPLES: Readonly<Record<RejectionReason, string>> = {
  empty: 'host:',
  'too-long': 'a'.repeat(5000),
  'unknown-kind': 'domain:evil.example',
  'kind-mismatch': 'host:*.evil.example',
  url: 'https://evil.example/',
  'at-sign': 'user@evil.example',
  'several-words': '0.0.0.0 evil.example',
  'bad-character': '||evil.example^',
  'empty-label': 'evil..example',
  'label-too-long': `${'a'.repeat(64)}.example`,
  'name-too-long': Array.from({ length: 60 }, () => 'aaaa').join('.'),
  'owner-too-long': Array.from({ length: 45 }, () => 'aaaa').join('.'),
  'wildcard-position': 'evil.*.example',
  'address-as-name': 'name:192.0.2.1',
  'trigger-label': 'evil.rpz-ip',
  'escape-not-allowed': 'ev\\105l.example',
  'bad-escape': 'ev\\il.example',
  idn: 'ev\u200dil.example',
  root: '*',
  'public-suffix': 'com',
  'bad-address': '192.0.2',
  'bad-prefix-length': '192.0.2.0/33',
  'bad-range': '192.0.2.2-192.0.2.1',
  'prefix-zero': '0.0.0.0/0',
  'prefix-too-short': '10.0.0.0/7',
  'bad-count': '192.0.2.1\tmany',
  'too-many': 'evil.example',
};

function reasonsOf(reason: RejectionReason, confirm: boolean): readonly string[] {
  const { rejections } = readIndicatorLines(Buffer.from(EXAMPLES[reason]), {
    ...PARSE_OPTIONS,
    escapes: reason === 'bad-escape',
    confirmBroad: confirm,
    rejectionsShown: 10,
    indicatorsMax: reason === 'too-many' ? 0 : 10,
  });
  return rejections.map((rejection) => rejection.reason);
}

describe('reasons of rejection', () => {
  it.each(REJECTION_REASONS)('%s is what its example is rejected for', (reason) => {
    if (reason === 'name-too-long' || reason === 'owner-too-long') {
      expect(EXAMPLES[reason].length).toBeGreaterThan(200);
    }
    expect(reasonsOf(reason, false)).toEqual([reason]);
  });

  it.each(REJECTION_REASONS)('%s goes away with a confirmation only if it is said to', (reason) => {
    expect(reasonsOf(reason, true)).toEqual(CONFIRMABLE_REASONS.includes(reason) ? [] : [reason]);
  });

  it.each(REJECTION_REASONS)('%s has a sentence for people', (reason) => {
    expect(rejectionSentence(reason)).toMatch(/^[A-Z].+[^.]\.$/);
  });

  it('a text that is no reason comes back as it is', () => {
    expect(rejectionSentence('field-type')).toBe('field-type');
    expect(rejectionSentence('constructor')).toBe('constructor');
  });

  it('the reader and the single parse give the same one', () => {
    for (const reason of REJECTION_REASONS) {
      if (reason === 'bad-count' || reason === 'too-many') continue;
      const options = { ...PARSE_OPTIONS, escapes: reason === 'bad-escape' };
      expect(parseIndicator(EXAMPLES[reason], options)).toEqual({ ok: false, reason });
    }
  });
});
