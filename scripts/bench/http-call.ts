import { Agent, request } from 'node:http';

/** A connection stays open between calls, as that of a client would that changes something each second. */
const agent = new Agent({ keepAlive: true });

/**
 * One call of an API. With node:http, since `fetch` takes a millisecond of its own, which is a large
 * part of what is measured here.
 */
export function callHttp(
  url: string,
  {
    method,
    token,
    body,
  }: { readonly method: string; readonly token: string; readonly body?: unknown },
): Promise<{ readonly status: number; readonly text: string }> {
  const isText = typeof body === 'string';
  const payload = body === undefined ? undefined : isText ? body : JSON.stringify(body);
  const headers: Record<string, string | number> = { authorization: `Bearer ${token}` };
  if (payload !== undefined) {
    headers['content-type'] = isText ? 'text/plain' : 'application/json';
    headers['content-length'] = Buffer.byteLength(payload);
  }
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(payload);
  });
}
