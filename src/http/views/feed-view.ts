import { type Static, Type } from 'typebox';
import {
  COMMENT_PREFIX_LENGTH_MAX,
  FEED_COLUMN_MAX,
  FEED_FORMAT_KINDS,
  FEED_PATH_LENGTH_MAX,
  FEED_PATTERN_LENGTH_MAX,
  FEED_SEPARATORS,
} from '../../policy/feed-format.ts';
import { FEED_URL_LENGTH_MAX, withoutSecrets } from '../../policy/feed-source.ts';
import type { Feed, FeedFormatFields, FeedSource, Target } from '../../policy/model.ts';
import {
  CREDENTIAL_KINDS,
  CRON_LENGTH_MAX,
  FEED_GATES,
  FEED_LIMITS,
  FEED_PATH_MAX,
  INTERVAL_SECONDS,
  JITTER_SECONDS_MAX,
  KEY_ALGORITHMS,
  NAMES_AS,
  SOURCE_KINDS,
  TRANSFER_FORMS,
  TTL_SECONDS,
  ZONE_TEXT_MAX,
} from '../../publish/edits/index.ts';
import type {
  FeedProgress,
  FeedRun,
  FeedStatus,
  HeldFeedChange,
} from '../../publish/feeds-port.ts';
import { IdSchema, isoTime, NamedSchema, nullable, Times, timesView } from './common.ts';

/** Secrets are checked by the edit, which never quotes them. */
const secret = (of: string) =>
  Type.String({ description: `${of}. Written only: shown as "***", which means the kept one.` });

const CredentialsSchema = Type.Object(
  {
    kind: Type.Optional(Type.Enum([...CREDENTIAL_KINDS])),
    token: Type.Optional(secret('Of kind bearer')),
    user: Type.Optional(Type.String({ description: 'Of kind basic.' })),
    password: Type.Optional(secret('Of kind basic')),
    name: Type.Optional(Type.String({ description: 'Of kind header: the name of the header.' })),
    value: Type.Optional(secret('Of kind header')),
  },
  { additionalProperties: false },
);

const TransferKeySchema = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: ZONE_TEXT_MAX })),
    algorithm: Type.Optional(Type.Enum([...KEY_ALGORITHMS])),
    secret: Type.Optional(secret('In base64')),
  },
  { additionalProperties: false, description: 'The TSIG key of a transfer; null for none.' },
);

const SourceSchema = Type.Object(
  {
    kind: Type.Optional(
      Type.Enum([...SOURCE_KINDS], {
        description:
          'A download, a collection of TAXII 2.1, a zone of another primary, a file or folder below the folder of feeds, or only what is uploaded.',
      }),
    ),
    url: Type.Optional(
      Type.String({
        maxLength: FEED_URL_LENGTH_MAX,
        description: 'Of kinds http and taxii; of taxii that of the objects of a collection.',
      }),
    ),
    credentials: Type.Optional(CredentialsSchema),
    allowPrivate: Type.Optional(
      Type.Boolean({
        description: 'Whether the address may be private, loopback or reserved.',
      }),
    ),
    zone: Type.Optional(
      Type.String({ maxLength: ZONE_TEXT_MAX, description: 'Of kind transfer: its name.' }),
    ),
    form: Type.Optional(
      Type.Enum([...TRANSFER_FORMS], {
        description: 'Of kind transfer: a response policy zone, or one that lists addresses.',
      }),
    ),
    address: Type.Optional(Type.String({ description: 'Of kind transfer: of the primary.' })),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    key: Type.Optional(nullable(TransferKeySchema)),
    path: Type.Optional(Type.String({ maxLength: FEED_PATH_MAX, description: 'Of kind file.' })),
  },
  { additionalProperties: false },
);

const column = (description: string) =>
  Type.Optional(
    Type.Union(
      [
        Type.Integer({ minimum: 1, maximum: FEED_COLUMN_MAX }),
        Type.String({ maxLength: FEED_PATH_LENGTH_MAX }),
      ],
      { description },
    ),
  );

const FormatSchema = Type.Object(
  {
    kind: Type.Enum([...FEED_FORMAT_KINDS], { description: 'auto looks at the first lines.' }),
    separator: Type.Optional(Type.Enum([...FEED_SEPARATORS], { description: 'Of csv.' })),
    header: Type.Optional(
      Type.Boolean({ description: 'Of csv: whether the first record names the columns.' }),
    ),
    path: Type.Optional(
      Type.String({
        maxLength: FEED_PATH_LENGTH_MAX,
        description: 'Of json and jsonl: names with dots between them, and [*] for every item.',
      }),
    ),
    value: column(
      'What is blocked. Of csv a column, by its number from 1 or by the name that the header has; of json and jsonl a path.',
    ),
    kindColumn: column('Of csv: says what the value is.'),
    expires: column('Of csv, json and jsonl: until when it is blocked.'),
    confidence: column('Of csv, json and jsonl: 0 to 100.'),
    comment: column('Of csv, json and jsonl.'),
    commentPrefix: Type.Optional(
      Type.String({
        maxLength: COMMENT_PREFIX_LENGTH_MAX,
        description: 'Of csv: what lines of comment begin with.',
      }),
    ),
    pattern: Type.Optional(
      Type.String({
        maxLength: FEED_PATTERN_LENGTH_MAX,
        description:
          'Of regex: an expression with the group (?<value>…), and if wanted expires, confidence, comment.',
      }),
    ),
  },
  { additionalProperties: false },
);

const ScheduleSchema = Type.Object(
  {
    kind: Type.Optional(Type.Enum(['interval', 'cron'])),
    seconds: Type.Optional(
      Type.Integer({ minimum: INTERVAL_SECONDS.min, maximum: INTERVAL_SECONDS.max }),
    ),
    expression: Type.Optional(
      Type.String({
        maxLength: CRON_LENGTH_MAX,
        description: 'Five fields: minute, hour, day of the month, month, day of the week; in UTC.',
        examples: ['15 */6 * * *'],
      }),
    ),
  },
  { additionalProperties: false },
);

const bounded = ({ min, max }: { readonly min: number; readonly max: number }) =>
  Type.Integer({ minimum: min, maximum: max });
const limits = {
  octetsMax: bounded(FEED_LIMITS.octetsMax),
  seconds: bounded(FEED_LIMITS.seconds),
  linesMax: bounded(FEED_LIMITS.linesMax),
};
const gates = {
  shrinkPercent: nullable(bounded(FEED_GATES.shrinkPercent)),
  growPercent: nullable(bounded(FEED_GATES.growPercent)),
  rejectedPercent: nullable(bounded(FEED_GATES.rejectedPercent)),
};
const ClosedOptions = { additionalProperties: false };

const settings = {
  enabled: Type.Boolean({ description: 'False pauses it.' }),
  source: SourceSchema,
  format: FormatSchema,
  namesAs: Type.Enum([...NAMES_AS], {
    description:
      'Whether names stand for themselves and all below, or only for themselves, where the format does not say.',
  }),
  schedule: ScheduleSchema,
  jitterSeconds: Type.Integer({
    minimum: 0,
    maximum: JITTER_SECONDS_MAX,
    description: 'A run is put off by a random time up to this.',
  }),
  limits: Type.Object(limits, { ...ClosedOptions, description: 'Of one run.' }),
  gates: Type.Object(gates, {
    ...ClosedOptions,
    description: 'Beyond these a run is held until a person releases it; null never holds.',
  }),
  confidenceMin: nullable(
    Type.Integer({
      minimum: 0,
      maximum: 100,
      description: 'Indicators that say less of themselves are left out; null takes all.',
    }),
  ),
  ttlSeconds: nullable(
    Type.Integer({
      minimum: TTL_SECONDS.min,
      maximum: TTL_SECONDS.max,
      description:
        'How long an indicator stays after the source last told it; null drops it at once.',
    }),
  ),
};
const writable = {
  ...settings,
  limits: Type.Partial(settings.limits, ClosedOptions),
  gates: Type.Partial(settings.gates, ClosedOptions),
};

/** What a feed may be given, all of it optional. */
export const FeedSettingsSchema = Type.Partial(Type.Object(writable), ClosedOptions);

export const NewFeedSchema = Type.Object(
  { targetId: IdSchema, ...FeedSettingsSchema.properties, source: SourceSchema },
  {
    ...ClosedOptions,
    examples: [
      {
        targetId: 1,
        source: {
          kind: 'http',
          url: 'https://feeds.example/addresses.csv',
          credentials: { kind: 'bearer', token: 'a-token-of-the-publisher' },
        },
        format: { kind: 'csv', separator: ',', header: true, value: 'ip' },
        schedule: { kind: 'interval', seconds: 3_600 },
      },
    ],
  },
);
export const FeedPatchSchema = Type.Object(FeedSettingsSchema.properties, {
  ...ClosedOptions,
  examples: [{ enabled: true, gates: { shrinkPercent: 30 }, ttlSeconds: 604_800 }],
});

const Time = Type.String({ format: 'date-time', examples: ['2030-01-31T12:00:00.000Z'] });
export const FEED_STATES = ['new', 'ok', 'failing', 'held', 'paused'] as const;

const ProgressSchema = Type.Object({
  phase: Type.Enum(['waiting', 'fetch', 'parse', 'publish']),
  startedAt: Time,
  octets: Type.Integer(),
  lines: Type.Integer(),
  octetsPerSecond: Type.Number(),
});

export const FeedStatusSchema = Type.Object({
  state: Type.Enum([...FEED_STATES], { description: 'new until the first run has ended.' }),
  running: nullable(ProgressSchema),
  nextRunAt: nullable(Time),
  lastRunAt: nullable(Time),
  lastSuccessAt: nullable(Time),
  ageSeconds: nullable(
    Type.Integer({
      description: 'How long ago what is served was last found to be what the source has.',
    }),
  ),
  failures: Type.Integer({ description: 'In a row.' }),
  reasons: Type.Array(Type.String(), {
    description: 'Why a run is held or the last one failed, as sentences.',
  }),
});

export const FeedRunSchema = Type.Object({
  startedAt: Time,
  endedAt: Time,
  actor: Type.String(),
  end: Type.Enum(['unchanged', 'published', 'held', 'failed', 'discarded']),
  reasons: Type.Array(Type.String()),
  octets: Type.Integer({ description: 'After decompression.' }),
  lines: Type.Integer(),
  detected: nullable(Type.String({ description: 'How the content turned out to be written.' })),
  indicators: Type.Integer({ description: 'Distinct ones that were taken.' }),
  added: Type.Integer(),
  removed: Type.Integer(),
  duplicates: Type.Integer(),
  exceptions: Type.Integer({ description: 'Lines that take something out.' }),
  belowConfidence: Type.Integer(),
  rejected: Type.Integer(),
  rejectedByReason: Type.Record(Type.String(), Type.Integer()),
  rejections: Type.Array(
    Type.Object({ line: Type.Integer(), text: Type.String(), reason: Type.String() }),
    { description: 'The first of them.' },
  ),
  guarded: Type.Integer({ description: 'Left out: they cover what must never be blocked.' }),
  guardedShown: Type.Array(Type.Object({ text: Type.String(), covers: Type.String() }), {
    description: 'The first of them.',
  }),
  zones: Type.Array(Type.Object({ origin: Type.String(), toSerial: nullable(Type.Integer()) })),
});

export const HeldFeedSchema = Type.Object({
  run: FeedRunSchema,
  added: Type.Integer({ description: 'Against what the target holds now.' }),
  removed: Type.Integer(),
  addedShown: Type.Array(Type.String(), { description: 'The first of them.' }),
  removedShown: Type.Array(Type.String(), { description: 'The first of them.' }),
});

export const FeedSchema = Type.Object({
  id: IdSchema,
  target: NamedSchema,
  preset: nullable(Type.String({ description: 'The preset that it was made from.' })),
  ...settings,
  status: FeedStatusSchema,
  ...Times,
});

export function feedView(
  feed: Feed,
  shown: {
    readonly target: Pick<Target, 'id' | 'name'>;
    readonly status: FeedStatus;
    /** Unix milliseconds. */
    readonly now: number;
  },
): Static<typeof FeedSchema> {
  const { id, preset, enabled, namesAs, jitterSeconds, confidenceMin, ttlSeconds } = feed;
  return {
    id,
    target: { id: shown.target.id, name: shown.target.name },
    preset,
    enabled,
    source: sourceView(feed.source),
    format: formatView(feed.format),
    namesAs,
    schedule: { ...feed.schedule },
    jitterSeconds,
    limits: { ...feed.limits },
    gates: { ...feed.gates },
    confidenceMin,
    ttlSeconds,
    status: feedStatusView(shown.status, shown.now),
    ...timesView(feed),
  };
}

function sourceView(source: FeedSource): Static<typeof SourceSchema> {
  const shown = withoutSecrets(source);
  if ('credentials' in shown) return { ...shown, credentials: { ...shown.credentials } };
  return 'key' in shown ? { ...shown, key: shown.key && { ...shown.key } } : { ...shown };
}

/** The edit keeps only fields that the schema has. */
export function formatView(format: FeedFormatFields): Static<typeof FormatSchema> {
  return { ...format } as Static<typeof FormatSchema>;
}
export { FormatSchema as FeedFormatSchema };

export function feedStatusView(status: FeedStatus, now: number): Static<typeof FeedStatusSchema> {
  const { state, running, nextRunAt, lastRunAt, lastSuccessAt, failures, runs } = status;
  // What is held waits, whatever became of the runs since.
  const told = state === 'held' ? runs.find(({ end }) => end === 'held') : runs[0];
  return {
    state,
    running: running && progressView(running),
    nextRunAt: timeOrNull(nextRunAt),
    lastRunAt: timeOrNull(lastRunAt),
    lastSuccessAt: timeOrNull(lastSuccessAt),
    ageSeconds:
      lastSuccessAt === null ? null : Math.max(0, Math.round((now - lastSuccessAt) / 1_000)),
    failures,
    reasons: [...(told?.reasons ?? [])],
  };
}

export function progressView(progress: FeedProgress): Static<typeof ProgressSchema> {
  const { phase, startedAt, octets, lines, octetsPerSecond } = progress;
  return { phase, startedAt: isoTime(startedAt), octets, lines, octetsPerSecond };
}

export function feedRunView(run: FeedRun): Static<typeof FeedRunSchema> {
  return {
    startedAt: isoTime(run.startedAt),
    endedAt: isoTime(run.endedAt),
    actor: run.actor,
    end: run.end,
    reasons: [...run.reasons],
    octets: run.octets,
    lines: run.lines,
    detected: run.detected,
    indicators: run.indicators,
    added: run.added,
    removed: run.removed,
    duplicates: run.duplicates,
    exceptions: run.exceptions,
    belowConfidence: run.belowConfidence,
    rejected: run.rejected,
    rejectedByReason: { ...run.rejectedByReason },
    rejections: run.rejections.map(({ line, text, reason }) => ({ line, text, reason })),
    guarded: run.guarded,
    guardedShown: run.guardedShown.map(({ text, covers }) => ({ text, covers })),
    zones: run.zones.map(({ origin, toSerial }) => ({ origin, toSerial })),
  };
}

export function heldFeedView(held: HeldFeedChange): Static<typeof HeldFeedSchema> {
  const { run, added, removed, addedShown, removedShown } = held;
  return {
    run: feedRunView(run),
    added,
    removed,
    addedShown: [...addedShown],
    removedShown: [...removedShown],
  };
}

function timeOrNull(time: number | null): string | null {
  return time === null ? null : isoTime(time);
}
