import { join } from 'node:path';
import { checkFeedFormat, FEED_FORMAT_KINDS, FEED_SEPARATORS } from '../policy/feed-format.ts';
import type { FeedPreset } from '../policy/feed-preset.ts';
import { brokenUrlRule } from '../policy/feed-source.ts';
import { DANGER_LEVELS, type FeedFormatFields } from '../policy/model.ts';
import { ConfigurationError, inReadingOrder, type Problem } from './problem.ts';
import { readSampleFile, type SampleFile } from './sample-files.ts';
import { word } from './sample-tables.ts';
import {
  listOf,
  optional,
  required,
  section,
  setting,
  type ValueKind,
  type ValueOf,
} from './shape.ts';
import { accepted, choice, flag, integer, refused, text, wholeSeconds } from './value-kinds.ts';

const PRESETS_MAX = 1_000;
const NOTE_CHARACTERS_MAX = 1_000;
/** Of a field of a format; its own rule may be narrower. */
const FORMAT_TEXT_MAX = 1_000;

const presetName: ValueKind<string> = {
  rule: 'a name of lower-case letters, digits and hyphens',
  unitSuffix: '',
  parse: (value) => (/^[a-z0-9][a-z0-9-]{0,63}$/.test(value) ? accepted(value) : refused()),
};

const feedUrl: ValueKind<string> = {
  rule: 'an address that feeds can have',
  unitSuffix: '',
  parse: (value) => {
    const rule = brokenUrlRule(value);
    return rule === null ? accepted(value) : refused(rule);
  },
};

/** A paragraph may be folded over several lines of the file. */
const paragraph: ValueKind<string> = {
  rule: `text of 1-${NOTE_CHARACTERS_MAX} characters`,
  unitSuffix: '',
  parse: (value) => text(NOTE_CHARACTERS_MAX).parse(value.trim().replaceAll(/\s+/g, ' ')),
};

/** Digits are the number of a column, anything else its name, or a path. */
const column: ValueKind<string | number> = {
  rule: `a number, or text of 0-${FORMAT_TEXT_MAX} characters`,
  unitSuffix: '',
  parse: (value) => {
    if (/^[1-9]\d{0,5}$/.test(value)) return accepted(Number(value));
    return value.length <= FORMAT_TEXT_MAX && !/\p{Cc}/u.test(value) ? accepted(value) : refused();
  },
};
const formatText: ValueKind<string> = {
  rule: `text of 0-${FORMAT_TEXT_MAX} characters`,
  unitSuffix: '',
  parse: (value) =>
    value.length <= FORMAT_TEXT_MAX && !/\p{Cc}/u.test(value) ? accepted(value) : refused(),
};

const FORMAT = section('', {
  kind: required(choice(FEED_FORMAT_KINDS)),
  separator: optional(choice(FEED_SEPARATORS)),
  header: optional(flag),
  path: optional(formatText),
  value: optional(column),
  kindColumn: optional(column),
  expires: optional(column),
  confidence: optional(column),
  comment: optional(column),
  commentPrefix: optional(formatText),
  pattern: optional(formatText),
});

/** What zones/feeds.yaml may hold. */
const FEEDS_FILE = section('', {
  feeds: listOf(
    section('', {
      name: required(presetName),
      title: required(text(64)),
      url: required(feedUrl),
      publisher: required(text(100)),
      licence: required(text(300)),
      licenceUrl: optional(feedUrl),
      format: FORMAT,
      namesAs: setting(choice(['name', 'host']), 'name', ''),
      intervalSeconds: required(wholeSeconds('60s', '30d')),
      attributes: section('', {
        severity: required(integer(0, 5)),
        confidence: required(integer(0, 100)),
        risk: required(integer(0, 100)),
        danger: required(choice(DANGER_LEVELS)),
        iocType: required(word),
        threatType: required(word),
        trafficType: required(choice(['inbound', 'outbound', 'both'])),
        tags: listOf(required(word), { itemsMax: 32, fallback: [], description: '' }),
      }),
      note: optional(paragraph),
      verified: required(flag),
    }),
    { itemsMax: PRESETS_MAX, fallback: null, description: '' },
  ),
});

type Written = ValueOf<typeof FEEDS_FILE>['feeds'][number];

/**
 * Reads zones/feeds.yaml: public feeds that can be turned on by name. Throws a ConfigurationError
 * with every problem of the file.
 */
export function loadFeedPresets(directory: string): readonly FeedPreset[] {
  const problems: Problem[] = [];
  const read = readSampleFile(FEEDS_FILE, join(directory, 'feeds.yaml'), problems);
  const presets = read === null ? [] : presetsOf(read, problems);
  if (problems.length > 0) throw new ConfigurationError(inReadingOrder(problems));
  return presets;
}

function presetsOf(read: SampleFile<typeof FEEDS_FILE>, problems: Problem[]): FeedPreset[] {
  const { file, positions, value } = read;
  const refuse = (path: string, message: string): void => {
    // A value that is missing has no place of its own: the group that misses it has.
    const parent = path.slice(0, path.lastIndexOf('.'));
    const position = positions.get(path) ?? positions.get(parent) ?? null;
    problems.push({ file, position, path, message });
  };
  for (const key of ['name', 'title', 'url'] as const) refuseRepeated(value.feeds, key, refuse);
  return value.feeds.map((written, index) => {
    const { note, format, ...rest } = written;
    const checked = checkFormat(format, (field, message) =>
      refuse(`feeds[${index}].format.${field}`, message),
    );
    return { ...rest, format: checked, note: note ?? '' };
  });
}

/** Two that are the same would be told apart by nothing, or fetched twice. */
function refuseRepeated(
  feeds: readonly Written[],
  key: 'name' | 'title' | 'url',
  refuse: (path: string, message: string) => void,
): void {
  const firsts = new Map<string, number>();
  for (const [index, feed] of feeds.entries()) {
    const value = feed[key].toLowerCase();
    const first = firsts.get(value);
    if (first === undefined) firsts.set(value, index);
    else refuse(`feeds[${index}].${key}`, `${feed[key]} is that of feeds[${first}] already`);
  }
}

function checkFormat(
  written: Written['format'],
  refuse: (field: string, message: string) => void,
): FeedFormatFields {
  const given = Object.entries(written).filter(([, value]) => value !== null);
  const { format, refusals } = checkFeedFormat(Object.fromEntries(given));
  for (const { field, rule } of refusals) refuse(field, rule);
  return format;
}
