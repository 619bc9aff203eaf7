import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Account, AccountId, ApiToken, Model, Role, SessionId } from '../policy/model.ts';
import { hashToken } from '../publish/edits/index.ts';
import { ACCOUNT_HEADER, actingAccount } from './acting-account.ts';
import { basicPassword } from './basic-credentials.ts';
import { refuseForeignPages } from './own-origin.ts';
import { HttpProblem, problemOfCode, tooManyFailures } from './problem.ts';
import { sendProblem } from './problem-replies.ts';
import type { SessionBook } from './session-book.ts';
import { sessionSecretOf } from './session-cookie.ts';

/** Who may use a route: everybody, any token or session, or those of at least this role. */
export type Access = 'open' | 'any' | 'viewer' | 'editor' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route of the API says it; a route that does not cannot be registered. */
    access?: Access;
    /** Takes a token as the password of HTTP Basic, too: for what only downloads. */
    basic?: boolean;
  }
  interface FastifyRequest {
    /** Who sent the request; null on open routes. */
    identity: Identity | null;
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

/** Who a request comes from, and on behalf of which account. */
export interface Identity {
  readonly kind: 'token' | 'session';
  /** Of the token, or of the user. */
  readonly id: number;
  /** For the audit trail: `token admin`, `user jane`, or `user jane (main)` when it acts for another account. */
  readonly actor: string;
  readonly role: Role;
  /** The account that is read and edited. */
  readonly accountId: AccountId;
  /** The account that the token or user belongs to. */
  readonly ownAccountId: AccountId;
  /** Of a user who has logged in; null for a token. */
  readonly sessionId: SessionId | null;
}

export interface AuthenticateOptions {
  readonly model: () => Model;
  readonly sessions: SessionBook;
  readonly failedAuthMax: number;
  readonly failedAuthWindowMs: number;
}

/**
 * Lets a request through only with a bearer token (RFC 6750) or a session cookie whose role is enough
 * for the route. Only failures are counted against a client address, so that a busy editor is never
 * slowed down. @fastify/rate-limit and @fastify/cookie must be registered before.
 */
export function authenticateRequests(app: FastifyInstance, options: AuthenticateOptions): void {
  const countFailure = app.createRateLimit({
    max: options.failedAuthMax,
    timeWindow: options.failedAuthWindowMs,
  });
  app.decorateRequest('identity', null);
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.access === undefined)
      throw new Error(`${method} ${url} does not say who may use it`);
  });
  app.addHook('onRequest', async (request, reply) => {
    const access = request.routeOptions.config.access;
    if (access === 'open') return;
    const model = options.model();
    const sender = findSender(model, options.sessions, request);
    if (sender === undefined) {
      const failures = await countFailure(request);
      if (!failures.isAllowed && failures.isExceeded)
        throw tooManyFailures(failures.ttlInSeconds, 'Authorization');
      const detail =
        'Send the header "Authorization: Bearer <token>" with a token that is valid, or log in.';
      const refused = { field: 'Authorization', value: null };
      sendProblem(reply, problemOfCode('unauthenticated', detail, refused));
      return reply;
    }
    if (sender.kind === 'session') refuseForeignPages(request);
    request.identity = identify(model, sender, request);
    // What is told to one sender is kept for nobody else; a route may say more.
    reply.header('cache-control', 'private, no-cache');
    // Without a declared access nothing is open: the strongest role is asked for.
    if (!mayUse(sender.role, access ?? 'admin')) {
      const detail = `The ${kindOf(sender)} "${sender.name}" has the role ${sender.role}; this needs ${access}.`;
      const rule = `${request.method} ${request.routeOptions.url} needs the role ${access ?? 'admin'}.`;
      throw new HttpProblem('forbidden', detail, { field: 'role', value: sender.role, rule });
    }
    return undefined;
  });
}

/** Whether the role is enough for a route that a request reaches by another, such as one of a batch. */
export function mayUse(role: Role, access: Exclude<Access, 'open'>): boolean {
  return RANK[role] >= NEEDED_RANK[access];
}

/** The sender of a request on a route that is not open. */
export function identityOf(request: FastifyRequest): Identity {
  if (request.identity === null)
    throw new Error(`${request.url} has no sender although it is not open`);
  return request.identity;
}

/** A token or a user, as what it proved says. */
interface Sender extends Pick<Identity, 'kind' | 'id' | 'role' | 'sessionId'> {
  readonly name: string;
  readonly account: Account;
}

/** What a sender is to people. */
function kindOf({ kind }: Sender): 'token' | 'user' {
  return kind === 'token' ? 'token' : 'user';
}

function identify(model: Model, sender: Sender, request: FastifyRequest): Identity {
  const { account } = sender;
  const header = request.headers[ACCOUNT_HEADER];
  const acting = actingAccount(model, { role: sender.role, account }, header);
  const { kind, id, role, sessionId } = sender;
  const who = `${kindOf(sender)} ${sender.name}`;
  const actor = acting === account ? who : `${who} (${account.label})`;
  return { kind, id, actor, role, sessionId, accountId: acting.id, ownAccountId: account.id };
}

/** A header that is wrong is a failure, whatever the cookie says: nobody acts as somebody unawares. */
function findSender(
  model: Model,
  sessions: SessionBook,
  request: FastifyRequest,
): Sender | undefined {
  if (request.headers.authorization !== undefined) {
    const token = findToken(model, tokenTextOf(request, request.headers.authorization));
    const account = token && model.accounts.get(token.accountId);
    if (token === undefined || account === undefined) return undefined;
    const { id, name, role } = token;
    return { kind: 'token', id, name, role, sessionId: null, account };
  }
  const secret = sessionSecretOf(request);
  const found = secret === undefined ? undefined : sessions.find(secret);
  const account = found && model.accounts.get(found.user.accountId);
  if (found === undefined || account === undefined) return undefined;
  const { id, name, role } = found.user;
  return { kind: 'session', id, name, role, sessionId: found.session.id, account };
}

function tokenTextOf(request: FastifyRequest, header: string): string | undefined {
  // RFC 6750 section 2.1: b64token; RFC 9110 section 11.1: the scheme is compared without case.
  const match = /^bearer +([A-Za-z0-9\-._~+/]{1,512}=*) *$/i.exec(header);
  if (match !== null) return match[1];
  return request.routeOptions.config.basic === true ? basicPassword(header) : undefined;
}

function findToken(model: Model, text: string | undefined): ApiToken | undefined {
  if (text === undefined) return undefined;
  const sha256 = hashToken(text);
  // Comparing hashes of a random secret tells nothing by its timing.
  for (const token of model.tokens.values()) if (token.sha256 === sha256) return token;
  return undefined;
}
