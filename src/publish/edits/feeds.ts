import { checkFeedFormat } from '../../policy/feed-format.ts';
import type { Feed, FeedFormatFields, FeedId, FeedSource, Target } from '../../policy/model.ts';
import {
  type Edit,
  findTarget,
  notFound,
  refuse,
  refuseUnlessOperator,
  type Viewer,
  viewerOf,
} from './edit.ts';
import { HOURLY, readJitter, readSchedule } from './feed-schedule.ts';
import { readSource } from './feed-source.ts';
import { type Fields, openFields } from './fields.ts';

export const NAMES_AS = ['name', 'host'] as const;
/** What a run may take at most: octets as sent and as unpacked, seconds to fetch, lines to parse. */
export const FEED_LIMITS = {
  octetsMax: { min: 1_024, max: 1_073_741_824, otherwise: 134_217_728 },
  seconds: { min: 1, max: 3_600, otherwise: 300 },
  linesMax: { min: 1, max: 20_000_000, otherwise: 5_000_000 },
} as const;
/** Percents beyond which a run is held. */
export const FEED_GATES = {
  shrinkPercent: { min: 1, max: 100, otherwise: 50 },
  growPercent: { min: 1, max: 100_000, otherwise: 300 },
  rejectedPercent: { min: 0, max: 100, otherwise: 20 },
} as const;
export const TTL_SECONDS = { min: 60, max: 3_650 * 86_400 };
const JITTER_SECONDS = 30;

type Settings = Omit<Feed, 'id' | 'targetId' | 'preset' | 'createdAt' | 'updatedAt'>;
type CurrentSettings = Omit<Settings, 'source'> & { readonly source: FeedSource | null };

/** Of a feed that says nothing but where it comes from. */
const DEFAULTS: CurrentSettings = {
  enabled: true,
  source: null,
  format: { kind: 'auto' },
  namesAs: 'name',
  schedule: HOURLY,
  jitterSeconds: JITTER_SECONDS,
  limits: {
    octetsMax: FEED_LIMITS.octetsMax.otherwise,
    seconds: FEED_LIMITS.seconds.otherwise,
    linesMax: FEED_LIMITS.linesMax.otherwise,
  },
  gates: {
    shrinkPercent: FEED_GATES.shrinkPercent.otherwise,
    growPercent: FEED_GATES.growPercent.otherwise,
    rejectedPercent: FEED_GATES.rejectedPercent.otherwise,
  },
  confidenceMin: null,
  ttlSeconds: null,
};

/**
 * Gives a target a feed. Input: `targetId` and `source`, and optionally all else that a feed has.
 * From its first run on the feed decides what the target holds.
 */
export function createFeed(edit: Edit, input: unknown): Feed {
  refuseUnlessOperator(edit);
  const fields = openFields(input);
  const targetId = fields.integer('targetId', { min: 1, max: Number.MAX_SAFE_INTEGER });
  const settings = readSettings(edit, fields, DEFAULTS);
  fields.close();
  const target = edit.draft.model.targets.get(targetId as Target['id']);
  if (target === undefined) {
    throw refuse('reference-unknown', 'targetId', targetId, 'There is no target with this id.');
  }
  return putFeed(edit, { target, settings, preset: null });
}

/** Stores a new feed of a target that has none. */
export function putFeed(
  edit: Edit,
  made: { readonly target: Target; readonly settings: Settings; readonly preset: string | null },
): Feed {
  const { target, settings, preset } = made;
  if (target.origin === 'built-in') {
    const rule = `"${target.name}" is built in and part of every policy.`;
    throw refuse('built-in', 'targetId', target.id, rule);
  }
  const other = feedOfTarget(viewerOf(edit), target.id);
  if (other !== undefined) {
    const rule = `Feed ${other.id} keeps target "${target.name}" already: a target has one feed.`;
    throw refuse('fed-by-feed', 'targetId', target.id, rule);
  }
  const feed: Feed = {
    ...settings,
    id: edit.draft.nextId('feed'),
    targetId: target.id,
    preset,
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  edit.draft.put('feed', feed);
  return feed;
}

/** Changes the given settings of a feed; with `enabled` it is paused and goes on. */
export function updateFeed(edit: Edit, id: number, input: unknown): Feed {
  refuseUnlessOperator(edit);
  const feed = findFeed(viewerOf(edit), id);
  const fields = openFields(input);
  const settings = readSettings(edit, fields, feed);
  fields.close();
  const updated: Feed = { ...feed, ...settings, updatedAt: edit.draft.now };
  edit.draft.put('feed', updated);
  return updated;
}

/** Deletes a feed; its target keeps what it holds, and is edited by hand from then on. */
export function deleteFeed(edit: Edit, id: number): Feed {
  refuseUnlessOperator(edit);
  const feed = findFeed(viewerOf(edit), id);
  edit.draft.delete('feed', feed.id);
  return feed;
}

/** Feeds are the operator's: addresses and what goes wrong with them are nobody else's business. */
export function refuseFeedsUnlessOperator({ model, accountId }: Viewer): void {
  const account = model.accounts.get(accountId);
  if (account?.operator) return;
  const rule = 'Feeds are shown to the account that runs the server only.';
  throw refuse('not-allowed', 'account', account?.label ?? null, rule);
}

export function findFeed(viewer: Viewer, id: number): Feed {
  refuseFeedsUnlessOperator(viewer);
  const feed = viewer.model.feeds.get(id as FeedId);
  if (feed === undefined) throw notFound('feed', id);
  return feed;
}

export function feedOfTarget({ model }: Pick<Viewer, 'model'>, targetId: number): Feed | undefined {
  return model.feeds.values().find((feed) => feed.targetId === targetId);
}

/** The target that a feed keeps; feeds go with their targets, so there is one. */
export function targetOfFeed(viewer: Viewer, feed: Feed): Target {
  return findTarget(viewer, feed.targetId);
}

/** What somebody adds by hand would be gone with the next run, and what is removed come back. */
export function refuseWhileFed(edit: Edit, target: Target): void {
  const feed = feedOfTarget(viewerOf(edit), target.id);
  if (feed === undefined || !feed.enabled || edit.system) return;
  const rule = `Feed ${feed.id} keeps target "${target.name}" current: pause or delete the feed before its indicators are changed by hand.`;
  throw refuse('fed-by-feed', 'target id', target.id, rule);
}

/** Reads the settings of a feed; what is not given is as in `current`. */
export function readSettings(edit: Edit, fields: Fields, current: CurrentSettings): Settings {
  const source = readSource(edit.settings, fields, current.source);
  const schedule = readSchedule(edit.draft, fields, current.schedule);
  return {
    enabled: fields.flag('enabled', { otherwise: current.enabled }),
    source,
    format: readFormat(fields, { source, current }),
    namesAs: fields.choice('namesAs', NAMES_AS, { otherwise: current.namesAs }),
    schedule,
    jitterSeconds: readJitter(fields, schedule, { otherwise: current.jitterSeconds }),
    limits: readLimits(fields.inside('limits'), current.limits),
    gates: readGates(fields.inside('gates'), current.gates),
    confidenceMin: readOptional(fields, 'confidenceMin', {
      min: 0,
      max: 100,
      otherwise: current.confidenceMin,
    }),
    ttlSeconds: readOptional(fields, 'ttlSeconds', {
      ...TTL_SECONDS,
      otherwise: current.ttlSeconds,
    }),
  };
}

/** The defaults with what a preset or another origin knows better. */
export function settingsWith(known: Partial<CurrentSettings>): CurrentSettings {
  return { ...DEFAULTS, ...known };
}

/** A format is given whole, because its fields depend on its kind. */
function readFormat(
  fields: Fields,
  { source, current }: { readonly source: FeedSource; readonly current: CurrentSettings },
): FeedFormatFields {
  const given = fields.raw('format');
  if (given !== undefined && !isObject(given)) {
    fields.refuse('field-type', 'format', 'The value is an object.');
    return current.format;
  }
  const { format, refusals } =
    given === undefined ? { format: current.format, refusals: [] } : checkFeedFormat(given);
  fields.adopt(
    refusals.map((refusal) => ({
      ...refusal,
      field: `${fields.path('format')}.${refusal.field}`,
    })),
  );
  // TAXII 2.1 section 5.4 answers envelopes of STIX objects, whatever else a collection holds.
  if (source.kind === 'taxii' && format.kind !== 'stix') {
    if (given === undefined || format.kind === 'auto') return { kind: 'stix' };
    fields.refuse('invalid-value', 'format', 'What comes by TAXII is of format stix.');
  }
  return format;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readLimits(fields: Fields, current: Feed['limits']): Feed['limits'] {
  const read = (key: keyof Feed['limits']) =>
    fields.integer(key, { ...FEED_LIMITS[key], otherwise: current[key] });
  return { octetsMax: read('octetsMax'), seconds: read('seconds'), linesMax: read('linesMax') };
}

function readGates(fields: Fields, current: Feed['gates']): Feed['gates'] {
  const read = (key: keyof Feed['gates']) =>
    readOptional(fields, key, { ...FEED_GATES[key], otherwise: current[key] });
  return {
    shrinkPercent: read('shrinkPercent'),
    growPercent: read('growPercent'),
    rejectedPercent: read('rejectedPercent'),
  };
}

/** A number, or null for none. */
function readOptional(
  fields: Fields,
  key: string,
  rule: { readonly min: number; readonly max: number; readonly otherwise: number | null },
): number | null {
  const { min, max, otherwise } = rule;
  if (!fields.has(key)) return otherwise;
  return fields.raw(key) === null ? null : fields.integer(key, { min, max });
}
