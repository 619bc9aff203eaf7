import { DANGER_LEVELS, DEVICE_PROFILES } from '../policy/model.ts';
import { policyName, shortLabel } from './name-kinds.ts';
import { listOf, optional, required, section, setting, type ValueKind } from './shape.ts';
import {
  accepted,
  choice,
  flag,
  integer,
  ipPrefix,
  refused,
  text,
  wholeSeconds,
} from './value-kinds.ts';

/** What the files of the sample catalogue may hold; docs of the words are in src/policy/model.ts. */

const title = text(64);
const prose = text(400);
const percent = integer(0, 100);
const severity = integer(0, 5);
const trafficType = choice(['inbound', 'outbound', 'both']);

export const word: ValueKind<string> = {
  rule: 'one word of lower-case letters, digits and hyphens',
  unitSuffix: '',
  parse: (value) => (/^[a-z0-9][a-z0-9-]{0,31}$/.test(value) ? accepted(value) : refused()),
};

const words: ValueKind<readonly string[]> = {
  rule: 'a list of words with commas between them',
  unitSuffix: '',
  parse: (value) => {
    const list = value.split(',').map((part) => part.trim());
    const wrong = list.find((part) => !word.parse(part).ok);
    return wrong === undefined ? accepted(list) : refused(`"${wrong}" is not ${word.rule}`);
  },
};

/** The comment lines at the head of a target's file. */
export const TARGET_HEADER = section('', {
  name: required(title),
  description: required(prose),
  severity: required(severity),
  confidence: required(percent),
  risk: required(percent),
  danger: required(choice(DANGER_LEVELS)),
  iocType: required(word),
  threatType: required(word),
  trafficType: required(trafficType),
  tags: required(words),
  supportsAllow: setting(flag, 'false', ''),
  partner: setting(flag, 'false', ''),
});

/** Empty lists and absent values are conditions that the filter does not have. */
export const BUNDLES_FILE = section('', {
  bundles: listOf(
    section('', {
      name: required(title),
      description: required(prose),
      filter: section('', {
        severityMin: optional(severity),
        severityMax: optional(severity),
        confidenceMin: optional(percent),
        riskMin: optional(percent),
        danger: anyOf(choice(DANGER_LEVELS)),
        iocType: anyOf(word),
        threatType: anyOf(word),
        trafficType: anyOf(trafficType),
        tags: anyOf(word),
        partner: optional(flag),
      }),
    }),
    { itemsMax: 100, fallback: null, description: '' },
  ),
});

const ACTION_KINDS = [
  'allow',
  'block',
  'drop',
  'nxdomain',
  'nodata',
  'tcp-only',
  'redirect',
  'local-data',
] as const;

const LOCAL_RECORDS = listOf(
  section('', {
    type: required(choice(['A', 'AAAA', 'TXT', 'MX', 'CNAME'])),
    data: required(text(255)),
  }),
  // RFC 1035 has no limit; BIND refuses a transfer with more records in one RRset (interop.md).
  { itemsMax: 100, fallback: [], description: '' },
);

export const POLICIES_FILE = section('', {
  policies: listOf(
    section('', {
      name: required(policyName),
      type: required(choice(['ip', 'dns'])),
      description: required(prose),
      ttlSeconds: optional(wholeSeconds('1s', '1d')),
      hostsMax: optional(integer(1, 100_000)),
      defaultAction: optional(choice(['block', 'drop', 'nxdomain', 'nodata', 'tcp-only'])),
      attachments: listOf(
        section('', {
          target: optional(title),
          bundle: optional(title),
          action: required(choice(ACTION_KINDS)),
          to: optional(text(255)),
          records: LOCAL_RECORDS,
        }),
        { itemsMax: 1000, fallback: null, description: '' },
      ),
      excludedTargets: anyOf(title),
    }),
    { itemsMax: 100, fallback: null, description: '' },
  ),
});

export const DEVICES_FILE = section('', {
  devices: listOf(
    section('', {
      name: required(shortLabel('a device name')),
      description: required(prose),
      type: required(choice(['ip', 'dns', 'roaming'])),
      profile: required(choice(DEVICE_PROFILES)),
      sources: listOf(required(ipPrefix), {
        itemsMin: 1,
        itemsMax: 100,
        fallback: null,
        description: '',
      }),
      policy: required(policyName),
    }),
    { itemsMax: 100, fallback: null, description: '' },
  ),
});

function anyOf<Value>(kind: ValueKind<Value>) {
  return listOf(required(kind), { itemsMax: 100, fallback: [], description: '' });
}
