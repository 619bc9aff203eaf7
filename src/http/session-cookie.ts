import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

export const SESSION_COOKIE = 'sluice_session';
/** 256 bits in base64url. */
const SECRET_FORM = /^[A-Za-z0-9_-]{43}$/;

/** What the cookie of a request holds, if it can be one of ours. */
export function sessionSecretOf(request: FastifyRequest): string | undefined {
  const secret = request.cookies[SESSION_COOKIE];
  return secret !== undefined && SECRET_FORM.test(secret) ? secret : undefined;
}

/** Gives the browser a cookie that lasts as long as the session. */
export function setSessionCookie(
  reply: FastifyReply,
  { secret, maxAgeMs, secure }: { secret: string; maxAgeMs: number; secure: boolean },
): void {
  const maxAge = Math.floor(maxAgeMs / 1000);
  reply.setCookie(SESSION_COOKIE, secret, { ...attributes(secure), maxAge });
}

export function clearSessionCookie(reply: FastifyReply, secure: boolean): void {
  reply.clearCookie(SESSION_COOKIE, attributes(secure));
}

/** No script can read it, and no other site's page makes the browser send it. */
function attributes(secure: boolean): CookieSerializeOptions {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure };
}
