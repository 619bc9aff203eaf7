import type { InjectOptions } from 'fastify';
import { expect } from 'vitest';
import { API_PREFIX } from '../../src/http/index.ts';
import type { Role } from '../../src/policy/model.ts';
import type { Answer, Json, Scene } from './scene.ts';

export const PASSWORD = 'correct horse battery staple';
/** What `inject` sends as Host. */
const OWN_ORIGIN = 'http://localhost:80';

export interface Sending {
  readonly method: string;
  readonly url: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

/** One request with exactly these headers. */
export async function send({ app }: Pick<Scene, 'app'>, sending: Sending): Promise<Answer> {
  const { method, url, body, headers, address } = sending;
  const response = await app.inject({
    method: method as NonNullable<InjectOptions['method']>,
    url: url.startsWith('/api/') ? url : `${API_PREFIX}${url}`,
    ...(headers === undefined ? {} : { headers: { ...headers } }),
    ...(address === undefined ? {} : { remoteAddress: address }),
    ...(body === undefined ? {} : { payload: body as object }),
  });
  const isJson = String(response.headers['content-type'] ?? '').includes('json');
  return {
    status: response.statusCode,
    headers: response.headers,
    body: isJson ? response.json<Json>() : {},
    text: response.body,
  };
}

/** Sends requests with a bearer token, for another account if one is named. */
export function withToken(scene: Pick<Scene, 'app'>, token: string, account?: string) {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(account === undefined ? {} : { 'sluice-account': account }),
  };
  return (method: string, url: string, body?: unknown): Promise<Answer> =>
    send(scene, { method, url, body, headers });
}

/** Sends requests as a browser does that has a cookie. */
export function withCookie(scene: Pick<Scene, 'app'>, cookie: string) {
  return (method: string, url: string, body?: unknown): Promise<Answer> =>
    send(scene, {
      method,
      url,
      body,
      headers: { cookie, origin: OWN_ORIGIN, host: 'localhost:80' },
    });
}

export interface NewUser {
  readonly name?: string;
  readonly role?: Role;
  readonly password?: string | null;
}

/** A user of the first account, made by its admin token; tells the id. */
export async function makeUser(scene: Scene, user: NewUser = {}): Promise<number> {
  const { user: made } = await scene.ok('POST', '/users', {
    name: 'ada',
    role: 'admin',
    password: PASSWORD,
    ...user,
  });
  return Number(made?.id);
}

/** Logs in, which must succeed, and gives what the browser would keep: `sluice_session=…`. */
export async function logIn(
  scene: Pick<Scene, 'app'>,
  name = 'ada',
  password = PASSWORD,
): Promise<string> {
  const answer = await send(scene, { method: 'POST', url: '/session', body: { name, password } });
  expect(answer.status, answer.text).toBe(201);
  return cookieOf(answer, 'sluice_session');
}

/** `name=value` of a cookie that an answer sets. */
export function cookieOf(answer: Answer, name: string): string {
  const line = cookieLine(answer, name);
  expect(line, `no cookie ${name}`).toBeDefined();
  return line!.split(';')[0]!;
}

/** The whole line, with its attributes. */
export function cookieLine({ headers }: Answer, name: string): string | undefined {
  const lines = [headers['set-cookie'] ?? []].flat().map(String);
  return lines.find((line) => line.startsWith(`${name}=`));
}
