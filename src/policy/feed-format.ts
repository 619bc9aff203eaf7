import type { FeedFormatFields } from './model.ts';
import type { ModelErrorCode } from './model-error.ts';

/** How a feed may be written; `auto` looks at its first lines. */
export const FEED_FORMAT_KINDS = [
  'auto',
  'lines',
  'hosts',
  'adblock',
  'wildcard',
  'dnsmasq',
  'unbound',
  'rpz',
  'misp-json',
  'misp-csv',
  'stix',
  'csv',
  'json',
  'jsonl',
  'regex',
] as const;
export type FeedFormatKind = (typeof FEED_FORMAT_KINDS)[number];

export const FEED_SEPARATORS = ['auto', ',', ';', 'tab', '|'] as const;
export const FEED_COLUMN_MAX = 1_000;
export const FEED_PATH_LENGTH_MAX = 300;
export const FEED_PATTERN_LENGTH_MAX = 1_000;
export const COMMENT_PREFIX_LENGTH_MAX = 8;

/** One broken rule of a format: at which of its fields, with which value. */
export interface FormatRefusal {
  readonly code: ModelErrorCode;
  readonly field: string;
  readonly value: unknown;
  readonly rule: string;
}

type Check = (value: unknown) => string | null;
interface FieldRule {
  readonly check: Check;
  /** What an absent field means; a field with neither this nor `optional` is required. */
  readonly otherwise?: string | number | boolean;
  readonly optional?: true;
}

const column: Check = (value) => {
  if (typeof value === 'number') {
    const isNumber = Number.isInteger(value) && value >= 1 && value <= FEED_COLUMN_MAX;
    return isNumber ? null : `A column's number is from 1 to ${FEED_COLUMN_MAX}.`;
  }
  return typeof value === 'string' && value.trim() !== '' && value.length <= FEED_PATH_LENGTH_MAX
    ? null
    : 'A column is a number from 1, or the name that the header has.';
};

/** Names with dots between them; `[*]` is every item of a list, or every value of an object. */
const PATH = /^(?:(?:[^.[\]]+|\[\*\])(?:\.[^.[\]]+|\.?\[\*\])*)?$/;
const PATH_STEPS_MAX = 32;
const path: Check = (value) =>
  typeof value === 'string' &&
  value.length <= FEED_PATH_LENGTH_MAX &&
  PATH.test(value) &&
  value.split(/[.[]/).length <= PATH_STEPS_MAX
    ? null
    : 'A path is names with dots between them, and [*] for every item: data.items[*].';
const someValue: Check = (value) => path(value) ?? (value === '' ? 'The path is not empty.' : null);

const prefix: Check = (value) =>
  typeof value === 'string' && value.length <= COMMENT_PREFIX_LENGTH_MAX && value.trim() !== ''
    ? null
    : `What comments begin with is a text of 1 to ${COMMENT_PREFIX_LENGTH_MAX} characters.`;

const PLAIN: Readonly<Record<string, FieldRule>> = {};
const JSON_FIELDS: Readonly<Record<string, FieldRule>> = {
  path: { check: path, otherwise: '' },
  value: { check: path },
  expires: { check: someValue, optional: true },
  confidence: { check: someValue, optional: true },
  comment: { check: someValue, optional: true },
};
const FIELDS: Readonly<Partial<Record<FeedFormatKind, Readonly<Record<string, FieldRule>>>>> = {
  csv: {
    separator: {
      check: (value) =>
        FEED_SEPARATORS.some((known) => known === value)
          ? null
          : `The separator is one of ${FEED_SEPARATORS.join(' ')}.`,
      otherwise: 'auto',
    },
    header: {
      check: (value) => (typeof value === 'boolean' ? null : 'The value is true or false.'),
      otherwise: false,
    },
    value: { check: column },
    kindColumn: { check: column, optional: true },
    expires: { check: column, optional: true },
    confidence: { check: column, optional: true },
    comment: { check: column, optional: true },
    commentPrefix: { check: prefix, optional: true },
  },
  json: JSON_FIELDS,
  jsonl: JSON_FIELDS,
  regex: { pattern: { check: pattern } },
};
/** Fields of tables that name a column. */
const COLUMNS = ['value', 'kindColumn', 'expires', 'confidence', 'comment'];

/** Checks how a feed is said to be written, and puts in what was left out. */
export function checkFeedFormat(given: Readonly<Record<string, unknown>>): {
  readonly format: FeedFormatFields;
  readonly refusals: readonly FormatRefusal[];
} {
  const kind = FEED_FORMAT_KINDS.find((known) => known === given.kind);
  if (kind === undefined) {
    const rule = `The value is one of ${FEED_FORMAT_KINDS.join(', ')}.`;
    const code = given.kind === undefined ? 'field-missing' : 'invalid-value';
    const refusal = { code, field: 'kind', value: given.kind ?? null, rule } as const;
    return { format: { kind: 'auto' }, refusals: [refusal] };
  }
  const rules = FIELDS[kind] ?? PLAIN;
  const format: Record<string, string | number | boolean> & { kind: string } = { kind };
  const refusals: FormatRefusal[] = unknownFields(kind, given, rules);
  for (const [field, rule] of Object.entries(rules)) {
    const value = given[field] ?? rule.otherwise;
    if (value === undefined) {
      if (rule.optional !== true) {
        refusals.push({
          code: 'field-missing',
          field,
          value: null,
          rule: `A feed of format ${kind} says it.`,
        });
      }
      continue;
    }
    const broken = rule.check(value);
    if (broken === null) format[field] = value as string | number | boolean;
    else refusals.push({ code: 'invalid-value', field, value, rule: broken });
  }
  if (refusals.length === 0 && kind === 'csv') refusals.push(...namesWithoutHeader(format));
  return { format, refusals };
}

function unknownFields(
  kind: FeedFormatKind,
  given: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, FieldRule>>,
): FormatRefusal[] {
  return Object.entries(given)
    .filter(([field, value]) => field !== 'kind' && value !== undefined && !(field in rules))
    .map(([field, value]) => {
      const rule = `A feed of format ${kind} has no such field.`;
      return { code: 'field-unknown', field, value, rule };
    });
}

function namesWithoutHeader(format: FeedFormatFields): FormatRefusal[] {
  if (format.header === true) return [];
  return COLUMNS.filter((field) => typeof format[field] === 'string').map((field) => {
    const rule = 'Without a header a column is given by its number, from 1.';
    return { code: 'invalid-value', field, value: format[field], rule };
  });
}

/** Named groups that are understood. */
const GROUPS = ['value', 'expires', 'confidence', 'comment'];

function pattern(value: unknown): string | null {
  if (typeof value !== 'string' || value === '' || value.length > FEED_PATTERN_LENGTH_MAX) {
    return `The expression is a text of 1 to ${FEED_PATTERN_LENGTH_MAX} characters.`;
  }
  let groups: readonly string[];
  try {
    new RegExp(value);
    // The empty alternative matches at once, and the match names all groups of the other one.
    groups = Object.keys(new RegExp(`|${value}`).exec('')?.groups ?? {});
  } catch (error) {
    return `The expression cannot be read: ${(error as Error).message}.`;
  }
  if (!groups.includes('value')) {
    return 'The expression has a group (?<value>…) for what is to be blocked.';
  }
  const unknown = groups.find((name) => !GROUPS.includes(name));
  return unknown === undefined
    ? null
    : `The groups are ${GROUPS.join(', ')}; there is none called ${unknown}.`;
}
