import type { Endpoint } from './dns-clients.ts';

/** Sends one request with a bearer token; rejects when the answer is no good one. */
export type HttpCaller = (method: string, path: string, body?: unknown) => Promise<Response>;

/** A text goes as `text/plain`, anything else as JSON. */
export function httpCaller({ address, port }: Endpoint, token: string): HttpCaller {
  return async (method, path, body) => {
    const isText = typeof body === 'string';
    const response = await fetch(`http://${address}:${port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': isText ? 'text/plain' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
}

/** One request to the API, below `/api/v1`; rejects when it is refused or held for a confirmation. */
export type ApiCaller = <Body = Readonly<Record<string, unknown>>>(
  method: string,
  path: string,
  body?: unknown,
) => Promise<Body>;

export function apiCaller(server: Endpoint, token: string): ApiCaller {
  const call = httpCaller(server, token);
  return async <Body>(method: string, path: string, body?: unknown) => {
    const response = await call(method, `/api/v1${path}`, body);
    const answer = (await response.json()) as Body;
    if (response.status === 202 && typeof answer === 'object' && answer && 'held' in answer)
      throw new Error(`${method} ${path} is held: ${JSON.stringify(answer.held)}`);
    return answer;
  };
}
