import type { AccountId, Feed } from '../policy/model.ts';
import type { FeedRun } from '../publish/feeds-port.ts';
import { encodeNotes } from '../publish/member-notes.ts';
import type { SeenBook } from './ageing.ts';
import type { FeedContent, FeedFormat } from './feed-content.ts';
import { shortened } from './feed-state.ts';
import { type ContentCounts, uselessContent } from './gates.ts';
import type { HeldContent } from './held-content.ts';
import {
  FeedChanged,
  type PublishEnd,
  type PublishingDesk,
  publishContent,
} from './publish-content.ts';
import type {
  FeedJob,
  FeedOutcome,
  FeedProgress,
  FeedValidators,
  FeedWorker,
} from './worker/index.ts';

/** Indicators of one content; a set of packed indicators has room for no more. */
const INDICATORS_MAX = 2 ** 24 - 1;
const REDIRECTS_MAX = 5;
/** For all matches of a regular expression in one content together. */
const REGEX_MS = 10_000;
/** What the worker may take beyond the time limit of a feed, for parsing: then it does not answer. */
const GRACE_MS = 180_000;

export interface FeedRunSettings {
  readonly publisher: PublishingDesk;
  readonly worker: Pick<FeedWorker, 'run' | 'stop'>;
  /** What must never be blocked, besides what the guard knows by itself. */
  readonly guard: { readonly names: readonly string[]; readonly prefixes: readonly string[] };
  readonly ownerOctetsMax: number;
  /** Whether feeds that say so may be fetched from private addresses. */
  readonly allowPrivateSources: boolean;
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly graceMs?: number;
}

export interface FeedRunRequest {
  readonly feed: Feed;
  /** In the place of the source. */
  readonly octets: Uint8Array | null;
  readonly validators: FeedValidators;
  readonly book: SeenBook;
  readonly rowAt: number | null;
  readonly actor: string;
  readonly isCurrent: (feed: Feed | undefined) => boolean;
  readonly onProgress: (progress: FeedProgress) => void;
  /** Called when the content is about to be published. */
  readonly onParsed: () => void;
}

/** How a run ended. One that was stopped, or whose feed was changed meanwhile, is none. */
export type FeedRunResult =
  | { readonly kind: 'unchanged'; readonly run: FeedRun; readonly validators: FeedValidators }
  | {
      readonly kind: 'published';
      readonly run: FeedRun;
      readonly validators: FeedValidators;
      readonly end: Exclude<PublishEnd, { kind: 'held' }>;
    }
  | { readonly kind: 'held'; readonly run: FeedRun; readonly held: HeldContent }
  | { readonly kind: 'failed'; readonly run: FeedRun }
  | { readonly kind: 'void'; readonly why: string };

/** Reads a source once and publishes what it tells. Never rejects: what goes wrong is in the report. */
export async function runFeed(
  settings: FeedRunSettings,
  request: FeedRunRequest,
): Promise<FeedRunResult> {
  const startedAt = settings.clock();
  const { actor } = request;
  const report = (run: Partial<FeedRun> & Pick<FeedRun, 'end'>): FeedRun =>
    shortened({ ...EMPTY_RUN, startedAt, endedAt: settings.clock(), actor, ...run });
  const outcome = await readSource(settings, request);
  if (outcome.kind === 'unchanged') {
    return { ...outcome, run: report({ end: 'unchanged' }) };
  }
  if (outcome.kind === 'failed') {
    if (outcome.reason === 'stopped') return { kind: 'void', why: outcome.text };
    return { kind: 'failed', run: report({ end: 'failed', reasons: [outcome.text] }) };
  }
  const { content, octets, validators } = outcome;
  const counts = runCounts(content, octets);
  try {
    // Of what came since the last time all may be unusable; of everything it may not.
    const useless = outcome.incremental ? null : uselessContent(contentCounts(content));
    if (useless !== null) {
      return { kind: 'failed', run: report({ ...counts, end: 'failed', reasons: [useless] }) };
    }
    request.onParsed();
    const end = await publishRead(settings, request, outcome);
    if (end.kind === 'held') {
      const { added, removed, reasons } = end;
      const run = report({ ...counts, added, removed, end: 'held', reasons });
      return { kind: 'held', run, held: await heldOf(run, outcome) };
    }
    const { added, removed, zones } = end;
    const run = report({ ...counts, added, removed, zones, end: end.kind });
    return { kind: 'published', run, validators, end };
  } catch (error) {
    if (error instanceof FeedChanged) return { kind: 'void', why: error.message };
    const reasons = [`It could not be published: ${messageOf(error)}`];
    return { kind: 'failed', run: report({ ...counts, end: 'failed', reasons }) };
  }
}

export const EMPTY_RUN: FeedRun = {
  startedAt: 0,
  endedAt: 0,
  actor: '',
  end: 'failed',
  reasons: [],
  octets: 0,
  lines: 0,
  detected: null,
  indicators: 0,
  added: 0,
  removed: 0,
  duplicates: 0,
  exceptions: 0,
  belowConfidence: 0,
  rejected: 0,
  rejectedByReason: {},
  rejections: [],
  guarded: 0,
  guardedShown: [],
  zones: [],
};

/** On whose behalf targets are changed: they belong to the account that runs the server. */
export function operatorOf({ model }: Pick<PublishingDesk, 'model'>): AccountId | null {
  for (const { id, operator } of model.accounts.values()) if (operator) return id;
  return null;
}

/** How the audit trail calls a feed. */
export function actorOf({ model }: Pick<PublishingDesk, 'model'>, feed: Feed): string {
  return `feed ${model.targets.get(feed.targetId)?.name ?? feed.targetId}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The worker has limits of its own; should it not answer at all, the run ends without it. */
async function readSource(
  settings: FeedRunSettings,
  request: FeedRunRequest,
): Promise<FeedOutcome> {
  const { worker, graceMs = GRACE_MS } = settings;
  const { feed, onProgress } = request;
  const limitMs = feed.limits.seconds * 1_000 + graceMs;
  const { promise: cutOff, resolve: cut } = Promise.withResolvers<null>();
  const timer = setTimeout(cut, limitMs, null);
  try {
    const outcome = await Promise.race([worker.run(jobOf(settings, request), onProgress), cutOff]);
    if (outcome !== null) return outcome;
    worker.stop(feed.id);
    const text = `It took too long: the limit is ${feed.limits.seconds} s`;
    return { kind: 'failed', reason: 'timeout', text };
  } catch (error) {
    return { kind: 'failed', reason: 'unexpected', text: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

function jobOf(settings: FeedRunSettings, request: FeedRunRequest): FeedJob {
  const { guard, ownerOctetsMax, clock, random } = settings;
  const { feed, validators } = request;
  const { octetsMax, seconds, linesMax } = feed.limits;
  return {
    feedId: feed.id,
    source: jobSource(settings, request),
    // Its fields were checked when the feed was made.
    format: feed.format as unknown as FeedFormat,
    parse: {
      ownerOctetsMax,
      linesMax,
      indicatorsMax: Math.min(linesMax, INDICATORS_MAX),
      confidenceMin: feed.confidenceMin,
      nowMs: clock(),
      hashSeed: Math.floor(random() * 2 ** 32),
      guardNames: guard.names,
      guardPrefixes: guard.prefixes,
      namesAs: feed.namesAs,
      regexTimeMs: REGEX_MS,
    },
    validators,
    limits: { octetsMax, timeMs: seconds * 1_000, redirectsMax: REDIRECTS_MAX, linesMax },
  };
}

function jobSource(
  { allowPrivateSources }: FeedRunSettings,
  { feed: { source }, octets }: FeedRunRequest,
): FeedJob['source'] {
  if (octets !== null) return { kind: 'octets', octets };
  if (source.kind !== 'http' && source.kind !== 'taxii') return source as FeedJob['source'];
  return { ...source, allowPrivate: source.allowPrivate && allowPrivateSources };
}

type Read = Extract<FeedOutcome, { kind: 'content' }>;

function publishRead(
  { publisher }: FeedRunSettings,
  request: FeedRunRequest,
  { content, incremental }: Read,
): Promise<PublishEnd> {
  const { feed, book, rowAt, isCurrent, octets } = request;
  const { packed, withdrawn, notes } = content;
  const action = `feed.${octets === null ? 'run' : 'upload'} ${feed.id}`;
  const actor = octets === null ? actorOf(publisher, feed) : request.actor;
  return publishContent(publisher, {
    feed,
    content: { packed, withdrawn, notes, incremental, counts: contentCounts(content) },
    book,
    rowAt,
    by: { actor, action, accountId: operatorOf(publisher) },
    gates: feed.gates,
    isCurrent,
  });
}

async function heldOf(
  run: FeedRun,
  { content, validators, incremental }: Read,
): Promise<HeldContent> {
  const { packed, withdrawn, notes } = content;
  return { run, validators, incremental, packed, withdrawn, notes: await encodeNotes(notes) };
}

function contentCounts(content: FeedContent): ContentCounts {
  const { packed, duplicates, rejected, leftOut, exceptions, guarded, belowConfidence } = content;
  const indicators = packed.count;
  return { indicators, duplicates, rejected, leftOut, exceptions, guarded, belowConfidence };
}

function runCounts(content: FeedContent, octets: number): Partial<FeedRun> {
  const { lines, detected, packed, duplicates, exceptions, belowConfidence } = content;
  const { rejected, rejectedByReason, rejections, guarded, guardedShown } = content;
  return {
    octets,
    lines,
    detected,
    indicators: packed.count,
    duplicates,
    exceptions,
    belowConfidence,
    rejected,
    rejectedByReason,
    rejections,
    guarded,
    guardedShown,
  };
}
