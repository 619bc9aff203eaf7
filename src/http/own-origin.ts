import type { FastifyRequest } from 'fastify';
import { HttpProblem, type Refused } from './problem.ts';

/** RFC 9110 section 9.2.1. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * A browser sends a cookie with whatever page asks it to. So a request that is known by its cookie and
 * changes anything must come from a page of this server. Throws HttpProblem otherwise.
 */
export function refuseForeignPages(request: FastifyRequest): void {
  if (SAFE_METHODS.includes(request.method) || originOf(request) === 'own') return;
  const detail =
    'A request with a session cookie that changes something carries "Sec-Fetch-Site: same-origin" or an Origin with the own host.';
  throw new HttpProblem('foreign-page', detail, pageOf(request));
}

/** Before there is a cookie: a page of another site must not log anybody in here. */
export function refuseForeignLogin(request: FastifyRequest): void {
  if (originOf(request) !== 'foreign') return;
  const detail = 'A page of another site cannot log in here.';
  throw new HttpProblem('foreign-page', detail, pageOf(request));
}

/** The header that says which page it was. */
function pageOf({ headers }: FastifyRequest): Refused {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return { field: 'Sec-Fetch-Site', value: site };
  return { field: 'Origin', value: headers.origin ?? null };
}

/** Which page sent the request; `unknown` for programs, which send neither header. */
function originOf({ headers }: FastifyRequest): 'own' | 'foreign' | 'unknown' {
  // Browsers do not let pages write either of them (Fetch, "forbidden request-header").
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? 'own' : 'foreign';
  if (headers.origin === undefined) return 'unknown';
  if (!URL.canParse(headers.origin)) return 'foreign';
  const page = new URL(headers.origin);
  // A proxy may have ended TLS, so the scheme of the page is not compared, and its default port goes for both.
  const own = `${page.protocol}//${headers.host}`;
  return URL.canParse(own) && new URL(own).host === page.host ? 'own' : 'foreign';
}
