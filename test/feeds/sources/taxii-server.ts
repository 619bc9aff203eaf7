import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

const MEDIA_TYPE = 'application/taxii+json;version=2.1';
const COLLECTION = '91a7b528-80eb-42ed-a74d-c6fbd5a26116';

/** An object of a collection, and when the server took it in, which STIX knows nothing of. */
export interface AddedObject {
  readonly added: string;
  readonly object: { readonly type: string; readonly id: string } & Record<string, unknown>;
}

export interface TaxiiServer {
  /** Of the endpoint of the objects. */
  readonly url: string;
  readonly requests: readonly { readonly query: URLSearchParams; readonly accept: string }[];
  /** A changed object is a new version of it, added anew (STIX 2.1 section 3.6). */
  add(added: AddedObject): void;
}

export interface TaxiiServerOptions {
  readonly objects?: readonly AddedObject[];
  /** Objects of a page at most, whatever the client asks for (section 3.4). */
  readonly pageMax?: number;
  /** `next` is optional (section 3.7): without it, the client goes on by time. */
  readonly withNext?: boolean;
  readonly user?: string;
  readonly password?: string;
}

interface Page {
  more?: boolean;
  next?: string;
  objects?: unknown[];
}

/**
 * The Get Objects endpoint (section 5.4) of a TAXII server, written from "TAXII Version 2.1, OASIS
 * Standard, 10 June 2021": it answers what the client has a right to, and refuses with the status
 * that the specification names (sections 3.4, 3.6 and 5.4) what it has not.
 */
export async function startTaxiiServer(options: TaxiiServerOptions = {}): Promise<TaxiiServer> {
  const objects = [...(options.objects ?? [])];
  const requests: { query: URLSearchParams; accept: string }[] = [];
  // Where pages go on: an opaque text per page, valid with the same filters only (section 3.5).
  const places = new Map<string, { readonly from: number; readonly filters: string }>();

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://taxii.example');
    const query = url.searchParams;
    requests.push({ query, accept: request.headers.accept ?? '' });
    const refused = refusal(request, url, options);
    if (refused !== null) {
      sendError(response, refused);
      return;
    }
    const filters = filtersOf(query);
    const place = placeOf(query, places, filters);
    if (place === null) {
      sendError(response, 400);
      return;
    }
    const matching = objects.filter((candidate) => matches(candidate, query));
    const limit = Math.min(Number(query.get('limit') ?? Infinity), options.pageMax ?? 1_000);
    const end = place + limit;
    const shown = matching.slice(place, end);
    const page: Page = {};
    // Section 3.7: an envelope without objects is empty.
    if (shown.length > 0) page.objects = shown.map(({ object }) => object);
    if (end < matching.length) {
      page.more = true;
      if (options.withNext !== false) {
        page.next = `page-${places.size + 1}`;
        places.set(page.next, { from: end, filters });
      }
    }
    if (shown.length > 0) {
      response.setHeader('X-TAXII-Date-Added-First', shown[0]!.added);
      response.setHeader('X-TAXII-Date-Added-Last', shown.at(-1)!.added);
    }
    response.setHeader('Content-Type', MEDIA_TYPE);
    response.end(JSON.stringify(page));
  }

  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('it has no port');
  return {
    url: `http://127.0.0.1:${bound.port}/api1/collections/${COLLECTION}/objects/`,
    requests,
    add: (added) => void objects.push(added),
  };
}

/** The status that a request is refused with, or null. */
function refusal(request: IncomingMessage, url: URL, options: TaxiiServerOptions): number | null {
  if (options.user !== undefined) {
    const pair = Buffer.from(`${options.user}:${options.password}`).toString('base64');
    if (request.headers.authorization !== `Basic ${pair}`) return 401;
  }
  if (url.pathname !== `/api1/collections/${COLLECTION}/objects/`) return 404;
  if (request.method !== 'GET') return 405;
  // Section 1.6.8.1: a server answers 406 when it does not have what the client accepts.
  if (request.headers.accept !== MEDIA_TYPE) return 406;
  const limit = url.searchParams.get('limit');
  if (limit !== null && !/^[1-9]\d*$/.test(limit)) return 400;
  const addedAfter = url.searchParams.get('added_after');
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(addedAfter ?? '');
  return addedAfter !== null && !isTime ? 400 : null;
}

/** All of the query but the place: it must be the same on every page (section 3.5). */
function filtersOf(query: URLSearchParams): string {
  const filters = new URLSearchParams(query);
  filters.delete('next');
  filters.sort();
  return filters.toString();
}

function placeOf(
  query: URLSearchParams,
  places: ReadonlyMap<string, { readonly from: number; readonly filters: string }>,
  filters: string,
): number | null {
  const next = query.get('next');
  if (next === null) return 0;
  const place = places.get(next);
  return place === undefined || place.filters !== filters ? null : place.from;
}

/** Section 3.4: `added_after` is exclusive; the values of a match are alternatives. */
function matches({ added, object }: AddedObject, query: URLSearchParams): boolean {
  const after = query.get('added_after');
  if (after !== null && !(added > after)) return false;
  const types = query.get('match[type]');
  return types === null || types.split(',').includes(object.type);
}

function sendError(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.setHeader('Content-Type', MEDIA_TYPE);
  // Section 3.6.1: the error message resource.
  response.end(JSON.stringify({ title: 'refused', http_status: String(status) }));
}
