import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ApiToken, Model, Role } from '../policy/model.ts';
import { hashToken } from '../publish/edits/index.ts';
import { HttpProblem, problemOfCode } from './problem.ts';
import { sendProblem } from './problem-replies.ts';

/** Who may use a route: everybody, any token, or tokens of at least this role. */
export type Access = 'open' | 'any' | 'viewer' | 'editor' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route of the API says it; a route that does not cannot be registered. */
    access?: Access;
  }
  interface FastifyRequest {
    /** The token of the request; null on open routes. */
    token: ApiToken | null;
  }
}

/** Sensors report and read their own health; they see nothing of the policies. */
const RANK: Readonly<Record<Role, number>> = { sensor: 0, viewer: 1, editor: 2, admin: 3 };
const NEEDED_RANK: Readonly<Record<Exclude<Access, 'open'>, number>> = {
  any: 0,
  viewer: 1,
  editor: 2,
  admin: 3,
};

export interface AuthenticateOptions {
  readonly model: () => Model;
  readonly failedAuthMax: number;
  readonly failedAuthWindowMs: number;
}

/**
 * Lets a request through only with a bearer token (RFC 6750) whose role is enough for the route.
 * Only failures are counted against a client address, so that a busy editor is never slowed down.
 * @fastify/rate-limit must be registered before.
 */
export function authenticateRequests(app: FastifyInstance, options: AuthenticateOptions): void {
  const countFailure = app.createRateLimit({
    max: options.failedAuthMax,
    timeWindow: options.failedAuthWindowMs,
  });
  app.decorateRequest('token', null);
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.access === undefined)
      throw new Error(`${method} ${url} does not say who may use it`);
  });
  app.addHook('onRequest', async (request, reply) => {
    const access = request.routeOptions.config.access;
    if (access === 'open') return;
    const token = findToken(options.model(), request);
    if (token === undefined) {
      const failures = await countFailure(request);
      if (!failures.isAllowed && failures.isExceeded) {
        reply.header('retry-after', failures.ttlInSeconds);
        throw new HttpProblem('too-many-failures', `Try again in ${failures.ttlInSeconds} s.`);
      }
      // RFC 9110 section 11.6.1: a 401 says how to authenticate.
      reply.header('www-authenticate', 'Bearer realm="sluice"');
      const detail = 'Send the header "Authorization: Bearer <token>" with a token that is valid.';
      sendProblem(reply, problemOfCode('unauthenticated', detail));
      return reply;
    }
    request.token = token;
    // Without a declared access nothing is open: the strongest role is asked for.
    if (RANK[token.role] < NEEDED_RANK[access ?? 'admin']) {
      const detail = `The token "${token.name}" has the role ${token.role}; this needs ${access}.`;
      throw new HttpProblem('forbidden', detail);
    }
    return undefined;
  });
}

/** The token of a request on a route that is not open. */
export function tokenOf(request: FastifyRequest): ApiToken {
  if (request.token === null)
    throw new Error(`${request.url} has no token although it is not open`);
  return request.token;
}

function findToken(model: Model, request: FastifyRequest): ApiToken | undefined {
  // RFC 6750 section 2.1: b64token; RFC 9110 section 11.1: the scheme is compared without case.
  const match = /^bearer +([A-Za-z0-9\-._~+/]{1,512}=*) *$/i.exec(
    request.headers.authorization ?? '',
  );
  if (match === null) return undefined;
  const sha256 = hashToken(match[1]!);
  // Comparing hashes of a random secret tells nothing by its timing.
  for (const token of model.tokens.values()) if (token.sha256 === sha256) return token;
  return undefined;
}
