import type { FastifyRequest, FastifySchemaValidationError } from 'fastify';
import type { TSchema } from 'typebox';
import { ModelError } from '../policy/model-error.ts';
import type { ApiContext, RegisteredChange } from './api-context.ts';
import { identityOf, mayUse } from './authenticate.ts';
import type { AnyChangeRoute } from './change-route.ts';
import { matchPath } from './match-path.ts';
import { contentOf, mediaTypesOf } from './media-types.ts';
import { bodyTooLarge, wrongMediaType } from './problem.ts';
import { TEXT } from './routes/text-body.ts';
import { compileRequestValidator } from './validate-request.ts';

/** A request to a change route that came inside of another: in a batch, or held until now. */
export interface OperationRequest {
  readonly method: string;
  /** Below the prefix of the API, with its query. */
  readonly path: string;
  /** A JSON value, or the text of a text body. */
  readonly body?: unknown;
  /** Of a text body; text/plain when absent. */
  readonly contentType?: string;
  readonly ifMatch?: string;
}

/** The route that an operation is for, and a request as if it had come to that route by itself. */
export interface Operation {
  readonly route: AnyChangeRoute;
  readonly request: FastifyRequest;
}

const JSON_TYPE = 'application/json';
const API_PATH = '/api/v1';
/** Of the route whose operations are other routes'. */
export const BATCH_URL = '/batch';

/**
 * Reads an operation as the route itself would: its access, path, query and body are checked against
 * the same rules. It is carried out in the name of whoever sent `outer`. Throws ModelError or HttpProblem.
 */
export function readOperation(
  context: ApiContext,
  outer: FastifyRequest,
  given: OperationRequest,
): Operation {
  const query = given.path.slice(pathOf(given).length + 1);
  const found = findRoute(context.changeRoutes, given.method, pathOf(given));
  if (found === null) {
    const rule = 'No change is made with this method at this path.';
    throw new ModelError('not-found', {
      field: 'path',
      value: `${given.method} ${given.path}`,
      rule,
    });
  }
  const { registered, params } = found;
  const { route } = registered;
  refuseBelow(route, outer, given);
  const checks = checksOf(registered);
  const { body, contentType } = bodyOf(route, given, context.options.limits.jsonBodyMax);
  const request = requestAs(outer, {
    method: route.method,
    url: `${API_PATH}${given.path}`,
    params: checks.params(params),
    query: checks.query(queryOf(query)),
    body: checks.body(contentType, body),
    headers: {
      ...(contentType === null ? {} : { 'content-type': contentType }),
      ...(given.ifMatch === undefined ? {} : { 'if-match': given.ifMatch }),
    },
  });
  return { route, request };
}

/**
 * Refuses who may not use the route that an operation is for, or one of a batch that it holds: what
 * such an operation says is not for everybody either. Throws ModelError.
 */
export function refuseOthersThan(
  context: ApiContext,
  outer: FastifyRequest,
  given: OperationRequest,
): void {
  const found = findRoute(context.changeRoutes, given.method, pathOf(given));
  // A route that is gone says no longer who may use it, so only the strongest role is enough.
  const { method, path } = given;
  refuseBelow(found?.registered.route ?? { method, url: path, access: 'admin' }, outer, given);
  const { operations } = (given.body ?? {}) as { readonly operations?: unknown };
  if (found?.registered.route.url !== BATCH_URL || !Array.isArray(operations)) return;
  for (const operation of operations) refuseOthersThan(context, outer, operation);
}

function refuseBelow(
  { method, url, access }: Pick<AnyChangeRoute, 'url' | 'access'> & { readonly method: string },
  outer: FastifyRequest,
  { path }: OperationRequest,
): void {
  const { role } = identityOf(outer);
  if (mayUse(role, access)) return;
  const rule = `${method} ${url} needs the role ${access}; yours is ${role}.`;
  throw new ModelError('not-allowed', { field: 'path', value: path, rule });
}

/** The same operation with other switches (`dryRun`, `confirm`) in its query. */
export function withSwitches(
  { route, request }: Operation,
  switches: { readonly dryRun?: boolean; readonly confirm?: boolean },
): Operation {
  const { dryRun: _, confirm: __, ...query } = request.query as Record<string, unknown>;
  return { route, request: requestAs(request, { query: { ...query, ...switches } }) };
}

function findRoute(
  routes: readonly RegisteredChange[],
  method: string,
  path: string,
): { readonly registered: RegisteredChange; readonly params: Record<string, string> } | null {
  const ofMethod = routes.filter(({ route }) => route.method === method);
  const match = matchPath(
    path,
    ofMethod.map(({ route }) => route.url),
  );
  return match === null ? null : { registered: ofMethod[match.index]!, params: match.params };
}

/** A request that differs from another in what is given, and is in all else the same. */
function requestAs(
  request: FastifyRequest,
  differs: Partial<Record<'method' | 'url' | 'params' | 'query' | 'body' | 'headers', unknown>>,
): FastifyRequest {
  const properties = Object.entries(differs).map(([name, value]) => [
    name,
    { value, enumerable: true },
  ]);
  return Object.create(request, Object.fromEntries(properties)) as FastifyRequest;
}

function queryOf(text: string): Record<string, unknown> {
  const values = new Map<string, string | string[]>();
  for (const [key, value] of new URLSearchParams(text)) {
    const known = values.get(key);
    // As the server itself reads a query: what is given twice is a list.
    values.set(key, known === undefined ? value : [known, value].flat());
  }
  return Object.fromEntries(values);
}

/** The body as the route gets it, and its media type. Texts are octets, as over the wire. */
function bodyOf(
  route: AnyChangeRoute,
  { body, contentType }: OperationRequest,
  jsonBodyMax: number,
): { readonly body: unknown; readonly contentType: string | null } {
  if (body === undefined || body === null) return { body: undefined, contentType: null };
  if (route.body === undefined) {
    const rule = `${route.method} ${route.url} takes no body.`;
    throw new ModelError('field-unknown', { field: 'body', value: body, rule });
  }
  const type = typeof body === 'string' ? (contentType ?? TEXT) : JSON_TYPE;
  const taken = mediaTypesOf(route);
  if (!taken.includes(type)) throw wrongMediaType(taken, 'contentType', type);
  if (typeof body !== 'string') return { body, contentType: type };
  // As long as a text may be that comes to the route by itself, whatever the outer body may hold.
  const limit = route.bodyLimit ?? jsonBodyMax;
  const octets = Buffer.from(body);
  if (octets.length > limit) throw bodyTooLarge(limit, octets.length);
  return { body: octets, contentType: type };
}

interface Checks {
  readonly params: (value: unknown) => unknown;
  readonly query: (value: unknown) => unknown;
  readonly body: (contentType: string | null, value: unknown) => unknown;
}

/** The checks of a route are made when it is first used by an operation, and kept. */
function checksOf(registered: RegisteredChange): Checks {
  const known = checksOfRoutes.get(registered.route);
  if (known !== undefined) return known;
  const { method, url, params, body } = registered.route;
  const check = (schema: TSchema | undefined, httpPart: string) => {
    if (schema === undefined) return (value: unknown) => value;
    const validate = compileRequestValidator({ schema, method, url, httpPart });
    return (value: unknown): unknown => checked(validate(value));
  };
  const content = contentOf<{ readonly schema: TSchema }>(body);
  const bodies = new Map<string, (value: unknown) => unknown>();
  const bodyCheck = (contentType: string | null): ((value: unknown) => unknown) => {
    const type = contentType ?? JSON_TYPE;
    const made = bodies.get(type) ?? check(content ? content[type]?.schema : body, 'body');
    bodies.set(type, made);
    return made;
  };
  const checks: Checks = {
    params: check(params, 'params'),
    query: check(registered.querystring, 'querystring'),
    body: (contentType, value) => bodyCheck(contentType)(value),
  };
  checksOfRoutes.set(registered.route, checks);
  return checks;
}

const checksOfRoutes = new WeakMap<AnyChangeRoute, Checks>();

function checked(result: unknown): unknown {
  const { value, error } = result as {
    readonly value?: unknown;
    readonly error?: Error | FastifySchemaValidationError[];
  };
  if (error !== undefined) throw error;
  return value;
}

/** Without its query. */
function pathOf({ path }: OperationRequest): string {
  const at = path.indexOf('?');
  return at < 0 ? path : path.slice(0, at);
}
