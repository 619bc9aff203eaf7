import { isUtf8 } from 'node:buffer';
import { parseJsonDocument } from '../formats/json-document.ts';
import { FeedFailure } from './feed-failure.ts';
import { type HttpGetOptions, httpGet } from './http.ts';
import { joinOctets } from './join-octets.ts';

export interface TaxiiOptions extends Omit<HttpGetOptions, 'accept' | 'etag' | 'lastModified'> {
  /** Of the Get Objects endpoint of a collection: `https://…/collections/{id}/objects/`. */
  readonly url: string;
  /** What an earlier run returned: only what was added since is asked for. Null asks for everything. */
  readonly addedAfter: string | null;
  /** Called while a page is read; what it throws comes through. */
  readonly checkpoint?: () => void;
}

export interface TaxiiResult {
  /** A STIX bundle with the objects of all pages, in the order in which they were added. */
  readonly octets: Uint8Array;
  readonly objects: number;
  /** When the last of them was added: for the next run. */
  readonly addedAfter: string | null;
}

/** TAXII 2.1 section 1.6.8.1. */
const MEDIA_TYPE = 'application/taxii+json;version=2.1';
const OBJECTS_PER_PAGE = 1_000;
/** With `octetsMax`, which counts all pages together, what ends a server that always has more. */
const TAXII_PAGES_MAX = 10_000;

/**
 * Gets the indicators of a collection by TAXII 2.1 (OASIS Standard, section 5.4): page by page, and
 * from the second run on only what was added since. Revoked indicators come as a new version of the
 * object, so they are in what is added. Throws a FeedFailure; then no page counts.
 *
 * Not read: what the server deleted (TAXII does not tell), manifests, several API roots.
 */
export async function getTaxiiObjects(options: TaxiiOptions): Promise<TaxiiResult> {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [encoder.encode('{"type":"bundle","objects":[')];
  let place: Place = { addedAfter: options.addedAfter, next: null, lastAdded: options.addedAfter };
  let received = 0;
  let objects = 0;
  for (let pages = 0; pages < TAXII_PAGES_MAX; pages++) {
    const page = await getPage(options, place, received);
    received += page.octets;
    if (page.objects.length > 0) {
      const text = JSON.stringify(page.objects).slice(1, -1);
      pieces.push(encoder.encode(objects === 0 ? text : `,${text}`));
      objects += page.objects.length;
    }
    const next = placeBehind(page, place);
    if (next.done) {
      pieces.push(encoder.encode(']}'));
      const octets = pieces.reduce((sum, piece) => sum + piece.length, 0);
      return { octets: joinOctets(pieces, octets), objects, addedAfter: next.lastAdded };
    }
    place = next;
  }
  throw new FeedFailure('too-large', `more than ${TAXII_PAGES_MAX} pages`);
}

/** Where in the collection the next request begins. */
interface Place {
  readonly addedAfter: string | null;
  /** What the server called the next page. */
  readonly next: string | null;
  /** When the newest object so far was added. */
  readonly lastAdded: string | null;
}

interface Page {
  readonly octets: number;
  readonly objects: readonly unknown[];
  readonly more: boolean;
  readonly next: string | null;
  readonly lastAdded: string | null;
}

/**
 * Section 3.5: with `next` the same request goes on there; without it, after the time at which the
 * last object of the page was added.
 */
function placeBehind(page: Page, place: Place): Place & { readonly done: boolean } {
  const lastAdded = page.lastAdded ?? place.lastAdded;
  if (!page.more) return { ...place, lastAdded, done: true };
  if (page.next !== null) {
    if (page.next === place.next) throw new FeedFailure('format', 'a page is its own next page');
    return { addedAfter: place.addedAfter, next: page.next, lastAdded, done: false };
  }
  if (page.lastAdded === null || page.lastAdded === place.addedAfter) {
    throw new FeedFailure('format', 'the server has more objects, but does not say where');
  }
  return { addedAfter: page.lastAdded, next: null, lastAdded, done: false };
}

async function getPage(options: TaxiiOptions, place: Place, before: number): Promise<Page> {
  const { limits, onOctets } = options;
  const octetsMax = limits.octetsMax - before;
  const result = await httpGet({
    ...options,
    url: pageUrl(options.url, place),
    accept: MEDIA_TYPE,
    etag: null,
    lastModified: null,
    limits: { ...limits, octetsMax },
    onOctets: (received) => onOctets(before + received),
  });
  if (result.kind === 'unchanged') throw new FeedFailure('protocol', '304 to an unconditional GET');
  checkMediaType(result.headers['content-type']);
  const envelope = parseEnvelope(result.octets, options.checkpoint);
  return {
    ...envelope,
    octets: result.octets.length,
    lastAdded: timestamp(result.headers['x-taxii-date-added-last']),
  };
}

/** Section 3.4: filters stay the same on all pages. The operator's own ones are kept. */
function pageUrl(text: string, { addedAfter, next }: Place): string {
  const url = URL.parse(text);
  // Whoever fetches it says what is wrong with it.
  if (url === null) return text;
  const query = url.searchParams;
  if (!query.has('match[type]')) query.set('match[type]', 'indicator');
  if (!query.has('limit')) query.set('limit', String(OBJECTS_PER_PAGE));
  if (addedAfter !== null) query.set('added_after', addedAfter);
  if (next !== null) query.set('next', next);
  return url.href;
}

/** Section 1.6.8.1; the version may be left out, and other parameters may stand there. */
function checkMediaType(header: string | undefined): void {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';');
  const version = parameters.map((text) => text.trim()).find((text) => text.startsWith('version='));
  const isRight = version === undefined || version.replaceAll('"', '') === 'version=2.1';
  if (type.trim() === 'application/taxii+json' && isRight) return;
  throw new FeedFailure('format', `the answer is not ${MEDIA_TYPE} but ${header ?? 'untyped'}`);
}

/** Section 3.7: all three properties may be missing; a page without objects is `{}`. */
function parseEnvelope(
  octets: Uint8Array,
  checkpoint: (() => void) | undefined,
): Pick<Page, 'objects' | 'more' | 'next'> {
  const envelope = parseJson(octets, checkpoint);
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) {
    throw new FeedFailure('format', 'a page is no TAXII envelope');
  }
  const { objects = [], more = false, next } = envelope as Record<string, unknown>;
  if (!Array.isArray(objects)) throw new FeedFailure('format', '"objects" of a page is no list');
  if (typeof more !== 'boolean') throw new FeedFailure('format', '"more" of a page is no boolean');
  if (next !== undefined && next !== null && typeof next !== 'string') {
    throw new FeedFailure('format', '"next" of a page is no text');
  }
  // Some servers have an empty text where the specification has nothing.
  return { objects, more, next: next ? next : null };
}

function parseJson(octets: Uint8Array, checkpoint: (() => void) | undefined): unknown {
  const document = isUtf8(octets) ? parseJsonDocument(octets, checkpoint) : null;
  if (document?.ok !== true) throw new FeedFailure('format', 'a page is no JSON');
  return document.value;
}

/** Section 2's timestamp, which goes into a later request: nothing else is kept. */
function timestamp(header: string | string[] | undefined): string | null {
  const text = Array.isArray(header) ? header[0] : header;
  const isTimestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text ?? '');
  return isTimestamp ? text! : null;
}
