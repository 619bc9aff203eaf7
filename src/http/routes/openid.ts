import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { AccountId } from '../../policy/model.ts';
import { accountOfAdmission, admitIdentity } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { createAttemptLimit } from '../attempt-limit.ts';
import { clientNetwork } from '../client-network.ts';
import { identityOfClaims } from '../openid-identity.ts';
import { createPendingLogins, PENDING_MS } from '../openid-pending.ts';
import { createOpenIdProvider, type LoginChecks } from '../openid-provider.ts';
import type { OpenIdSettings } from '../openid-settings.ts';
import { HttpProblem, tooManyFailures } from '../problem.ts';
import type { SessionBook } from '../session-book.ts';
import { setSessionCookie } from '../session-cookie.ts';
import { answers } from '../views/common.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['session'];
const PENDING_COOKIE = 'sluice_openid';
/** Where people go after they have logged in. */
const HOME = '/';
/** Logins that one client begins in a window: each is remembered for a while. */
const BEGUN_MAX = 30;
const WINDOW_MS = 300_000;

const ElsewhereSchema = Type.Null({ description: 'Sent on to the address in Location.' });
const ReturnQuery = Type.Object({
  code: Type.Optional(Type.String()),
  state: Type.Optional(Type.String()),
  iss: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
  error_description: Type.Optional(Type.String()),
});

/** Login by OpenID Connect, for servers that are configured for it. */
export function registerOpenId(
  app: ApiApp,
  context: ApiContext,
  { settings, sessions }: { readonly settings: OpenIdSettings; readonly sessions: SessionBook },
): void {
  const { edits, monotonicMs, publisher } = context.options;
  const { lifetimeMs, secureCookie } = sessions.settings;
  const provider = createOpenIdProvider(settings);
  const pending = createPendingLogins({ randomBytes: edits.randomBytes, monotonicMs });
  const begun = createAttemptLimit({ max: BEGUN_MAX, windowMs: WINDOW_MS, monotonicMs });
  const cookie: CookieSerializeOptions = {
    path: new URL(settings.redirectUri).pathname,
    httpOnly: true,
    // People come back by a link of the provider, with which a strict cookie would not be sent.
    sameSite: 'lax',
    secure: secureCookie,
  };

  const claimsOf = async (request: FastifyRequest, checks: LoginChecks) => {
    try {
      return await provider.finish(request.url.split('?')[1] ?? '', checks);
    } catch (error) {
      request.log.warn({ err: error }, 'a login by OpenID Connect was refused');
      throw refused(`What the provider answered is not right: ${messageOf(error)}.`);
    }
  };
  const admit = async (claims: Awaited<ReturnType<typeof claimsOf>>) => {
    const proved = identityOfClaims(claims, settings);
    if ('why' in proved) throw refused(proved.why);
    const { model } = publisher;
    const { linkByEmail } = settings;
    const rules = { linkByEmail, createIn: creationOf(settings, model.accounts.values()) };
    const accountId = accountOfAdmission(model, proved.identity, rules);
    const by = { actor: 'openid', action: 'user.admit', accountId };
    const { value } = await publisher.change(by, (draft) =>
      admitIdentity({ draft, settings: edits, system: false }, proved.identity, rules),
    );
    if ('why' in value) throw refused(value.why);
    return value.user;
  };

  app.get(
    '/session/openid/login',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Log in at the identity provider',
        description: 'For a browser: sends it on to the provider, which sends it back.',
        response: answers(302, ElsewhereSchema),
      },
    },
    async (request, reply) => {
      const waitSeconds = begun.take(clientNetwork(request.ip));
      if (waitSeconds !== null) throw tooManyFailures(waitSeconds, 'client');
      const { url, checks } = await provider.begin().catch((error: unknown) => {
        request.log.error({ err: error }, 'the identity provider cannot be used');
        throw new HttpProblem('unavailable', 'The identity provider cannot be reached.');
      });
      const maxAge = PENDING_MS / 1000;
      reply.setCookie(PENDING_COOKIE, pending.add(checks), { ...cookie, maxAge });
      return reply.header('cache-control', 'no-store').redirect(url);
    },
  );

  app.get(
    '/session/openid/callback',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Come back from the identity provider',
        description: 'For a browser: checks what the provider says and begins a session.',
        querystring: ReturnQuery,
        response: answers(302, ElsewhereSchema),
      },
    },
    async (request, reply) => {
      const checks = pending.take(request.cookies[PENDING_COOKIE] ?? '');
      reply.clearCookie(PENDING_COOKIE, cookie);
      if (checks === undefined) {
        const minutes = PENDING_MS / 60_000;
        throw refused(`This browser began no login here in the last ${minutes} minutes.`);
      }
      const user = await admit(await claimsOf(request, checks));
      const { secret } = await sessions.begin(user, 'session.create openid');
      setSessionCookie(reply, { secret, maxAgeMs: lifetimeMs, secure: secureCookie });
      return reply.header('cache-control', 'no-store').redirect(HOME);
    },
  );
}

function creationOf(
  { createUsers, account, defaultRole }: OpenIdSettings,
  accounts: Iterable<{ readonly id: AccountId; readonly label: string }>,
) {
  if (!createUsers) return null;
  for (const { id, label } of accounts) {
    // A role that the provider gives goes before this one.
    if (label === account) return { accountId: id, role: defaultRole ?? 'viewer' } as const;
  }
  return null;
}

function refused(detail: string): HttpProblem {
  // What the provider sent is good for a login, so it is not quoted.
  return new HttpProblem('openid-refused', detail, { field: 'code', value: null });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
