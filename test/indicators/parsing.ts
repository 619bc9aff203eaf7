import { formatIndicator } from '../../src/indicators/format-indicator.ts';
import type { Indicator, PackedIndicators } from '../../src/indicators/indicator.ts';
import { INDICATOR_KINDS } from '../../src/indicators/indicator.ts';
import { type ParseOptions, parseIndicator } from '../../src/indicators/parse-indicator.ts';

const PUBLIC_SUFFIXES = new Set(['co.example', 'github.example', 'b\u00fccher', 'myjino.ru']);

export const PARSE_OPTIONS: ParseOptions = {
  ownerOctetsMax: 200,
  isPublicSuffix: (name) => PUBLIC_SUFFIXES.has(name),
};

/** What parsing gives, as one text: the kinds and values, or the reason after a `!`. */
export function outcome(text: string, options: Partial<ParseOptions> = {}): string {
  const result = parseIndicator(text, { ...PARSE_OPTIONS, ...options });
  if (!result.ok) return `!${result.reason}`;
  return result.indicators.map(describeIndicator).join(' ');
}

/** Kind and value, also where the text form leaves the kind out. */
export function describeIndicator({ kind, key }: Indicator): string {
  const text = formatIndicator(kind, key);
  return text.startsWith(`${kind}:`) ? text : `${kind}:${text}`;
}

export function keyHex(text: string, options: Partial<ParseOptions> = {}): string {
  const result = parseIndicator(text, { ...PARSE_OPTIONS, ...options });
  if (!result.ok) throw new Error(`${text} is rejected: ${result.reason}`);
  return result.indicators.map(({ key }) => Buffer.from(key).toString('hex')).join(' ');
}

export function unpack(packed: PackedIndicators): Indicator[] {
  return Array.from({ length: packed.count }, (_, index) => ({
    kind: INDICATOR_KINDS[packed.kinds[index]]!,
    key: packed.keys.slice(index === 0 ? 0 : packed.ends[index - 1], packed.ends[index]),
  }));
}
