import { createHash } from 'node:crypto';
import type { FeedContent, FeedFormat, ParseFeedOptions } from '../feed-content.ts';
import { countLines } from '../formats/feed-lines.ts';
import { detailOf, FeedFailure } from '../sources/feed-failure.ts';
import { readFiles } from '../sources/file.ts';
import { httpGet } from '../sources/http.ts';
import { getTaxiiObjects } from '../sources/taxii.ts';
import { unpack } from '../sources/unpack.ts';
import { fetchUpstream, type TransferSource } from '../upstream/fetch-upstream.ts';
import type { FeedJob, FeedOutcome, FeedValidators } from './feed-job.ts';

export interface RunFeedJobOptions {
  /** The folder of feeds on disk; null refuses files. */
  readonly directory: string | null;
  readonly parse: (
    octets: Uint8Array,
    format: FeedFormat,
    options: ParseFeedOptions,
  ) => FeedContent;
  readonly isPublicSuffix: (name: string) => boolean;
  /** Its reason is a FeedFailure. */
  readonly signal: AbortSignal;
  readonly onFetched: (octets: number) => void;
  /** Throws a FeedFailure when the run must not go on. */
  readonly checkpoint: () => void;
  /** Just before the thread is busy with nothing else. */
  readonly onParse: (octets: number, lines: number) => void;
}

type Fetched =
  | { readonly kind: 'unchanged'; readonly validators: FeedValidators }
  | {
      readonly kind: 'text';
      readonly octets: Uint8Array;
      readonly files: number;
      readonly validators: Omit<FeedValidators, 'contentHash'>;
      readonly incremental: boolean;
    };

/** Fetches, unpacks and parses. Never throws: what goes wrong is an outcome that says what. */
export async function runFeedJob(job: FeedJob, options: RunFeedJobOptions): Promise<FeedOutcome> {
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    const seconds = job.limits.timeMs / 1000;
    deadline.abort(new FeedFailure('timeout', `the limit is ${seconds} s`));
  }, job.limits.timeMs);
  try {
    const signal = AbortSignal.any([options.signal, deadline.signal]);
    return await fetchAndParse(job, { ...options, signal }, performance.now());
  } catch (error) {
    const failure =
      error instanceof FeedFailure ? error : new FeedFailure('unexpected', detailOf(error));
    return failedBy(failure);
  } finally {
    clearTimeout(timer);
  }
}

function failedBy({ reason, message, retryAfterMs }: FeedFailure): FeedOutcome {
  const retry = retryAfterMs === null ? {} : { retryAfterMs };
  return { kind: 'failed', reason, text: message, ...retry };
}

async function fetchAndParse(
  job: FeedJob,
  options: RunFeedJobOptions,
  startedAt: number,
): Promise<FeedOutcome> {
  if (job.source.kind === 'transfer') return transferZone(job, job.source, options, startedAt);
  const fetched = await fetchSource(job, job.source, options);
  if (fetched.kind === 'unchanged') return fetched;
  const { octets, incremental } = fetched;
  // What was added since the last run says nothing about all that was added before it.
  const contentHash = incremental ? null : createHash('sha256').update(octets).digest('hex');
  const validators = { ...fetched.validators, contentHash };
  if (contentHash !== null && contentHash === job.validators.contentHash) {
    return { kind: 'unchanged', validators };
  }
  refuseSeveralDocuments(job.format, fetched.files);
  options.signal.throwIfAborted();
  options.onParse(octets.length, countLines(octets));
  // What TAXII brings needs no guess.
  const format: FeedFormat = job.source.kind === 'taxii' ? { kind: 'stix' } : job.format;
  const content = options.parse(octets, format, parseOptions(job, options));
  if (content.unreadable !== null) throw new FeedFailure('format', content.unreadable.text);
  const ms = performance.now() - startedAt;
  return { kind: 'content', content, validators, octets: octets.length, ms, incremental };
}

/** A zone comes as records, which are read as they come. */
async function transferZone(
  job: FeedJob,
  source: TransferSource,
  options: RunFeedJobOptions,
  startedAt: number,
): Promise<FeedOutcome> {
  const { limits, validators } = job;
  const fetched = await fetchUpstream({
    source,
    have: validators.addedAfter === null ? null : Number(validators.addedAfter),
    parse: parseOptions(job, options),
    octetsMax: limits.octetsMax,
    idleMs: limits.idleMs ?? IDLE_MS,
    signal: options.signal,
    onOctets: options.onFetched,
  });
  const reached = { ...NO_VALIDATORS, addedAfter: String(fetched.serial) };
  if (fetched.kind === 'current') return { kind: 'unchanged', validators };
  const { content, octets, incremental } = fetched;
  const ms = performance.now() - startedAt;
  return { kind: 'content', content, validators: reached, octets, ms, incremental };
}

const IDLE_MS = 30_000;
const NO_VALIDATORS: FeedValidators = {
  etag: null,
  lastModified: null,
  contentHash: null,
  addedAfter: null,
};

function fetchSource(
  job: FeedJob,
  source: Exclude<FeedJob['source'], { kind: 'transfer' }>,
  options: RunFeedJobOptions,
): Promise<Fetched> {
  switch (source.kind) {
    case 'http':
      return fetchHttp(job, source, options);
    case 'file':
      return fetchFiles(job, source, options);
    case 'taxii':
      return fetchTaxii(job, source, options);
    case 'octets':
      return fetchOctets(job, source, options);
  }
}

type HttpSource = Extract<FeedJob['source'], { kind: 'http' | 'taxii' }>;
type FileSource = Extract<FeedJob['source'], { kind: 'file' }>;
type OctetsSource = Extract<FeedJob['source'], { kind: 'octets' }>;

async function fetchHttp(
  job: FeedJob,
  source: HttpSource,
  { signal, onFetched }: RunFeedJobOptions,
): Promise<Fetched> {
  const { limits, validators } = job;
  const { etag, lastModified } = validators;
  const result = await httpGet({
    ...source,
    etag,
    lastModified,
    limits,
    signal,
    onOctets: onFetched,
  });
  if (result.kind === 'unchanged') return { kind: 'unchanged', validators };
  const text = await unpack(result.octets, { octetsMax: limits.octetsMax, signal });
  return textOf(text, { etag: result.etag, lastModified: result.lastModified, addedAfter: null });
}

async function fetchFiles(
  job: FeedJob,
  source: FileSource,
  { directory, signal, onFetched }: RunFeedJobOptions,
): Promise<Fetched> {
  const { limits, validators } = job;
  if (directory === null) throw new FeedFailure('outside', 'no folder of feeds is configured');
  const result = await readFiles({
    directory,
    path: source.path,
    etag: validators.etag,
    octetsMax: limits.octetsMax,
    signal,
    onOctets: onFetched,
  });
  if (result.kind === 'unchanged') return { kind: 'unchanged', validators };
  const { etag, lastModified } = result;
  return textOf(result, { etag, lastModified, addedAfter: null });
}

async function fetchTaxii(
  job: FeedJob,
  source: HttpSource,
  { signal, onFetched, checkpoint }: RunFeedJobOptions,
): Promise<Fetched> {
  const { limits, validators } = job;
  if (job.format.kind !== 'stix' && job.format.kind !== 'auto') {
    throw new FeedFailure('format', `TAXII brings STIX, and the format is ${job.format.kind}`);
  }
  const { addedAfter } = validators;
  const result = await getTaxiiObjects({
    ...source,
    addedAfter,
    limits,
    signal,
    onOctets: onFetched,
    checkpoint,
  });
  const incremental = addedAfter !== null;
  if (incremental && result.objects === 0) return { kind: 'unchanged', validators };
  return {
    kind: 'text',
    octets: result.octets,
    files: 1,
    validators: { etag: null, lastModified: null, addedAfter: result.addedAfter },
    incremental,
  };
}

async function fetchOctets(
  { limits }: FeedJob,
  { octets }: OctetsSource,
  { signal, onFetched }: RunFeedJobOptions,
): Promise<Fetched> {
  const { octetsMax } = limits;
  if (octets.length > octetsMax) {
    throw new FeedFailure('too-large', `${octets.length} octets, and ${octetsMax} are allowed`);
  }
  onFetched(octets.length);
  const text = await unpack(octets, { octetsMax, signal });
  return textOf(text, { etag: null, lastModified: null, addedAfter: null });
}

function textOf(
  { octets, files }: { readonly octets: Uint8Array; readonly files: number },
  validators: Omit<FeedValidators, 'contentHash'>,
): Fetched {
  return { kind: 'text', octets, files, validators, incremental: false };
}

const DOCUMENTS: ReadonlySet<FeedFormat['kind']> = new Set(['json', 'misp-json', 'stix']);

/** Lines of several files are lines; two documents one behind the other are none. */
function refuseSeveralDocuments({ kind }: FeedFormat, files: number): void {
  if (files === 1 || !DOCUMENTS.has(kind)) return;
  throw new FeedFailure('format', `${kind} is one document, and there are ${files} files`);
}

function parseOptions(
  { parse, limits }: FeedJob,
  { isPublicSuffix, checkpoint }: RunFeedJobOptions,
): ParseFeedOptions {
  const { guardNames, guardPrefixes, ...rest } = parse;
  return {
    ...rest,
    linesMax: Math.min(rest.linesMax, limits.linesMax),
    guard: { names: guardNames, prefixes: guardPrefixes, isPublicSuffix },
    checkpoint,
  };
}
