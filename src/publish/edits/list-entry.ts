import { formatIpv4, formatIpv6 } from '../../dns/address.ts';
import { formatIndicator, type Indicator, parseIndicator } from '../../indicators/index.ts';
import { rejectionSentence } from '../../indicators/rejection.ts';
import type { ListEntry } from '../../policy/model.ts';
import type { EditSettings } from './edit.ts';

export const COMMENT_LENGTH_MAX = 500;
const VALUE_LENGTH_MAX = 1_100;
/** Name server and client triggers belong to targets. */
const ENTRY_KINDS: readonly Indicator['kind'][] = ['name', 'host', 'wildcard', 'ip'];

/** An entry that was understood, with the indicators that it stands for. */
export interface ReadEntry {
  readonly entry: ListEntry;
  readonly indicators: readonly Indicator[];
}

export interface RejectedEntry {
  readonly reason: string;
  readonly rule: string;
}

export interface EntryOptions {
  readonly settings: EditSettings;
  readonly confirmBroad: boolean;
  readonly confirmRoot: boolean;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Reads one entry: a text, or `{value, comment, expiresAt}` with the time in Unix ms or ISO 8601. */
export function readEntry(input: unknown, options: EntryOptions): ReadEntry | RejectedEntry {
  const fields: unknown = typeof input === 'string' ? { value: input } : input;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return { reason: 'field-type', rule: 'An entry is a text or an object with a value.' };
  }
  const { value, comment = '', expiresAt = null, ...unknown } = fields as Record<string, unknown>;
  const [key] = Object.keys(unknown);
  if (key !== undefined) {
    return { reason: 'field-unknown', rule: `An entry has no field "${key}".` };
  }
  if (typeof value !== 'string' || value.length > VALUE_LENGTH_MAX) {
    return { reason: 'field-type', rule: 'The value of an entry is a text.' };
  }
  if (
    typeof comment !== 'string' ||
    comment.length > COMMENT_LENGTH_MAX ||
    /\p{Cc}/u.test(comment)
  ) {
    const rule = `A comment is one line of at most ${COMMENT_LENGTH_MAX} characters.`;
    return { reason: 'invalid-value', rule };
  }
  const expiry = readExpiry(expiresAt, options.now);
  if ('rule' in expiry) return expiry;
  const parsed = parseEntryValue(value, options);
  if ('rule' in parsed) return parsed;
  const entry = {
    value: parsed.value,
    comment: comment.trim(),
    expiresAt: expiry.expiresAt,
    createdAt: options.now,
  };
  return { entry, indicators: parsed.indicators };
}

/** Understands the value of an entry and gives its one normal form. */
export function parseEntryValue(
  text: string,
  options: Omit<EntryOptions, 'now'>,
): { readonly value: string; readonly indicators: readonly Indicator[] } | RejectedEntry {
  const { ownerOctetsMax, isPublicSuffix } = options.settings;
  const { confirmBroad, confirmRoot } = options;
  const confirmed = { confirmBroad, confirmRoot };
  const parseOptions = { ownerOctetsMax, isPublicSuffix, ...confirmed, escapes: true };
  const result = parseIndicator(text.trim(), parseOptions);
  if (!result.ok) return { reason: result.reason, rule: rejectionSentence(result.reason) };
  const { indicators } = result;
  if (indicators.some(({ kind }) => !ENTRY_KINDS.includes(kind))) {
    return { reason: 'kind', rule: 'A list holds addresses, prefixes, ranges and names only.' };
  }
  return { value: entryValue(indicators), indicators };
}

/** One indicator in its text form; the several prefixes of a range as `first-last`. */
function entryValue(indicators: readonly Indicator[]): string {
  const first = indicators[0]!;
  if (indicators.length === 1) return formatIndicator(first.kind, first.key);
  const last = indicators.at(-1)!;
  return `${formatAddress(first.key.subarray(1))}-${formatAddress(lastAddress(last.key))}`;
}

/** The highest address inside a prefix key (length, then address). */
function lastAddress(key: Uint8Array): Uint8Array {
  const address = key.slice(1);
  for (let bit = key[0]!; bit < address.length * 8; bit++) address[bit >> 3]! |= 0x80 >> (bit & 7);
  return address;
}

function formatAddress(address: Uint8Array): string {
  return address.length === 4 ? formatIpv4(address) : formatIpv6(address);
}

/** ISO 8601 with a date, a time and a zone: a time without zone would mean the server's. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** Beyond it ISO 8601 needs years of six digits, which nobody writes. */
const EXPIRY_MAX = Date.UTC(10_000, 0, 1) - 1;

function readExpiry(
  value: unknown,
  now: number,
): { readonly expiresAt: number | null } | RejectedEntry {
  if (value === null) return { expiresAt: null };
  const time = typeof value === 'string' && ISO_TIME.test(value) ? Date.parse(value) : value;
  if (typeof time !== 'number' || !Number.isSafeInteger(time)) {
    const rule = 'A time is written like 2030-01-31T12:00:00Z, or null for never.';
    return { reason: 'invalid-value', rule };
  }
  if (time > EXPIRY_MAX) {
    return { reason: 'invalid-value', rule: 'The time of expiry has a year of four digits.' };
  }
  if (time <= now)
    return { reason: 'entry-expired', rule: 'The time of expiry lies in the future.' };
  return { expiresAt: time };
}
