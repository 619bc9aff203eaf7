import { brokenUrlRule, FEED_URL_LENGTH_MAX } from '../../policy/feed-source.ts';
import type { FeedSource } from '../../policy/model.ts';
import type { EditSettings } from './edit.ts';
import { readCredentials } from './feed-credentials.ts';
import { refuseQuietly } from './feed-secret.ts';
import { readTransfer } from './feed-transfer.ts';
import type { Fields } from './fields.ts';

export const SOURCE_KINDS = ['http', 'taxii', 'transfer', 'file', 'upload'] as const;
export const FEED_PATH_MAX = 500;

type AskedSource = Extract<FeedSource, { readonly credentials: unknown }>;

/**
 * Reads where a feed comes from. What is left out stays as it is, secrets included, as long as it
 * goes to the same server: a change of the address alone must not take a secret to another one.
 */
export function readSource(
  settings: Pick<EditSettings, 'keyAlgorithms'>,
  fields: Fields,
  current: FeedSource | null,
): FeedSource {
  if (current !== null && !fields.has('source')) return current;
  const given = fields.inside('source');
  const kind = given.choice(
    'kind',
    SOURCE_KINDS,
    current === null ? {} : { otherwise: current.kind },
  );
  switch (kind) {
    case 'http':
    case 'taxii':
      return readAsked(given, kind, current !== null && 'url' in current ? current : null);
    case 'transfer':
      return readTransfer(settings, given, current?.kind === kind ? current : null);
    case 'file':
      return { kind, path: readPath(given, current?.kind === 'file' ? current.path : undefined) };
    case 'upload':
      return { kind };
  }
}

function readAsked(
  given: Fields,
  kind: AskedSource['kind'],
  current: AskedSource | null,
): AskedSource {
  const url = readUrl(given, kind, current?.url);
  const allowPrivate = given.flag('allowPrivate', { otherwise: current?.allowPrivate ?? false });
  const isSameServer = current !== null && originOf(url) === originOf(current.url);
  const known = current?.credentials ?? { kind: 'none' };
  if (given.has('credentials')) {
    const kept = isSameServer ? known : null;
    return { kind, url, allowPrivate, credentials: readCredentials(given, kept) };
  }
  if (known.kind !== 'none' && !isSameServer) {
    refuseQuietly(given, 'credentials', ELSEWHERE_RULE);
  }
  return { kind, url, allowPrivate, credentials: known };
}

const ELSEWHERE_RULE =
  'The address is on another server now: give the credentials again, or the kind none.';

function originOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).origin : null;
}

function readUrl(given: Fields, kind: AskedSource['kind'], current: string | undefined): string {
  const url = given.text('url', {
    min: 1,
    // Its own rule says so better.
    max: 2 * FEED_URL_LENGTH_MAX,
    ...(current === undefined ? {} : { otherwise: current }),
  });
  if (url === '') return url; // Refused already.
  const rule = brokenUrlRule(url) ?? brokenTaxiiRule(kind, url);
  // It may hold what should have been given as credentials.
  if (rule !== null) refuseQuietly(given, 'url', rule);
  return url;
}

/** TAXII 2.1 section 5.4: what is read is the objects of one collection. */
function brokenTaxiiRule(kind: AskedSource['kind'], url: string): string | null {
  if (kind !== 'taxii' || /\/objects\/?$/.test(new URL(url).pathname)) return null;
  return 'The address is that of the objects of a collection: …/collections/<id>/objects/.';
}

function readPath(given: Fields, current: string | undefined): string {
  const path = given.text('path', {
    min: 1,
    max: FEED_PATH_MAX,
    ...(current === undefined ? {} : { otherwise: current }),
  });
  const steps = path.split('/');
  if (path.startsWith('/') || path.includes('\\') || /^[A-Za-z]:/.test(path)) {
    given.refuse('feed-source', 'path', 'The path is below the folder of feeds, with / inside.');
  } else if (steps.includes('..')) {
    given.refuse('feed-source', 'path', 'The path does not lead out of the folder of feeds.');
  }
  return path;
}
