import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../dns/address.ts';
import { formatName, lowerCaseName, parseName } from '../dns/name.ts';
import { readWords } from '../indicators/prefix.ts';
import type { CoverQuery } from '../policy/explain.ts';
import { ModelError } from '../policy/model-error.ts';
import type { ExplainQuestion } from './publisher.ts';

/** What is asked, as it was understood. Throws ModelError. */
export function parseExplainQuery({ trigger, value }: Pick<ExplainQuestion, 'trigger' | 'value'>): {
  readonly text: string;
  readonly query: CoverQuery;
} {
  if (trigger === 'qname' || trigger === 'nsdname') {
    const name = parseQueryName(value);
    return { text: formatName(name), query: { trigger, labels: name.subarray(0, -1) } };
  }
  const v4 = parseIpv4(value);
  const address = v4 ?? parseIpv6(value);
  if (address === null) {
    throw new ModelError('address-form', {
      field: 'address',
      value,
      rule: 'must be an IPv4 or IPv6 address',
    });
  }
  const words = new Uint32Array(address.length / 4);
  readWords(address, 0, words);
  const text = v4 ? formatIpv4(address) : formatIpv6(address);
  return { text, query: { trigger, words, length: words.length * 32 } };
}

function parseQueryName(value: string) {
  try {
    return lowerCaseName(parseName(value));
  } catch (error) {
    const rule = error instanceof Error ? error.message : 'must be a domain name';
    throw new ModelError('name-form', { field: 'name', value, rule });
  }
}
