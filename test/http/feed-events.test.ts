import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HEARTBEAT_MS, STREAMS_MAX } from '../../src/http/event-streams.ts';
import { API_PREFIX } from '../../src/http/index.ts';
import type { Role } from '../../src/policy/model.ts';
import { type Scene, scene } from './scene.ts';

const controllers: AbortController[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const controller of controllers.splice(0)) controller.abort();
});

/** The API over HTTP, with one feed. */
async function listening(): Promise<Scene & { readonly port: number }> {
  const made = await scene();
  await made.ok('POST', '/targets', { name: 'Fed' });
  await made.ok('POST', '/feeds', {
    targetId: 1,
    source: { kind: 'http', url: 'https://feeds.example/list.txt' },
  });
  await made.app.listen({ host: '127.0.0.1', port: 0 });
  const bound = made.app.server.address();
  return { ...made, port: typeof bound === 'object' && bound !== null ? bound.port : 0 };
}

interface Listener {
  readonly response: Response;
  /** The next event or comment, without the empty line behind it; null when the stream ended. */
  next(): Promise<string | null>;
  stop(): void;
}

async function listen(
  made: Pick<Scene, 'tokens'> & { readonly port: number },
  as: Role = 'viewer',
): Promise<Listener> {
  const controller = new AbortController();
  controllers.push(controller);
  const response = await fetch(`http://127.0.0.1:${made.port}${API_PREFIX}/feeds/1/events`, {
    headers: { authorization: `Bearer ${made.tokens[as]}` },
    signal: controller.signal,
  });
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const next: Listener['next'] = async () => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        return event;
      }
      const { done, value } = await reader.read();
      if (done) return null;
      text += decoder.decode(value, { stream: true });
    }
  };
  return { response, next, stop: () => controller.abort() };
}

/** Name and data of an event. */
function read(event: string | null): readonly [string | undefined, unknown] {
  const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event ?? '') ?? [];
  return [name, JSON.parse(data ?? 'null')];
}

const PROGRESS = {
  phase: 'fetch',
  startedAt: Date.UTC(2030, 0, 31, 12),
  octets: 65_536,
  lines: 0,
  octetsPerSecond: 1_048_576,
} as const;

describe('the events of a feed', () => {
  it('begin with its state and go on with what happens', async () => {
    const made = await listening();
    const { next, response, stop } = await listen(made);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await next()).toMatch(/^retry: \d+$/);
    expect(read(await next())).toMatchObject(['state', { feedId: 1, status: { state: 'new' } }]);
    made.feeds.progress(1, PROGRESS);
    const startedAt = '2030-01-31T12:00:00.000Z';
    expect(read(await next())).toEqual([
      'progress',
      { feedId: 1, progress: { ...PROGRESS, startedAt } },
    ]);
    made.feeds.end(1, { added: 3 });
    expect(read(await next())).toMatchObject(['ended', { run: { end: 'published', added: 3 } }]);
    expect(read(await next())).toMatchObject(['state', { status: { state: 'ok' } }]);
    expect(made.feeds.listeners()).toBe(1);
    stop();
    await vi.waitFor(() => expect(made.feeds.listeners()).toBe(0));
  });

  it('need a role that may read, and a feed that is there', async () => {
    const { app, refused, tokens } = await listening();
    expect((await refused('GET', '/feeds/1/events', undefined, 'sensor')).status).toBe(403);
    expect((await refused('GET', '/feeds/9/events')).status).toBe(404);
    // Its answer would not end.
    const headers = { authorization: `Bearer ${tokens.viewer}` };
    const head = await app.inject({ method: 'HEAD', url: `${API_PREFIX}/feeds/1/events`, headers });
    expect(head.statusCode).toBe(404);
  });

  it('end when the server stops, without being waited for', async () => {
    const made = await listening();
    const { next } = await listen(made);
    await next();
    await next();
    await made.app.close();
    expect(await next()).toBeNull();
    expect(made.feeds.listeners()).toBe(0);
  });

  it('come with a sign of life, and end with the token or the feed', async () => {
    const made = await listening();
    const { asServer, feeds } = made;
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const kept = await listen(made, 'editor');
    const revoked = await listen(made, 'viewer');
    for (const { next } of [kept, revoked]) {
      await next();
      await next();
    }
    vi.advanceTimersByTime(HEARTBEAT_MS);
    expect(await kept.next()).toBe(':');
    expect(await revoked.next()).toBe(':');
    const token = [...made.publisher.model.tokens.values()].find(({ role }) => role === 'viewer');
    await asServer(({ draft }) => draft.delete('token', token!.id));
    vi.advanceTimersByTime(HEARTBEAT_MS);
    expect(await kept.next()).toBe(':');
    expect(await revoked.next()).toBeNull();
    await made.ok('DELETE', '/feeds/1');
    vi.advanceTimersByTime(HEARTBEAT_MS);
    expect(await kept.next()).toBeNull();
    expect(feeds.listeners()).toBe(0);
  });

  it('are for a limited number of listeners at a time', async () => {
    const made = await listening();
    const listeners = await Promise.all(Array.from({ length: STREAMS_MAX }, () => listen(made)));
    const answer = await made.call('GET', '/feeds/1/events');
    expect(answer.status).toBe(503);
    expect(answer.body.type).toBe('/api/v1/problems/too-many-listeners');
    expect(answer.headers['retry-after']).toBe('5');
    listeners[0]!.stop();
    await vi.waitFor(() => expect(made.feeds.listeners()).toBe(STREAMS_MAX - 1));
    expect((await listen(made)).response.status).toBe(200);
  });

  it('cut off a listener who does not read, and bother nobody else', async () => {
    const made = await listening();
    const socket = connect(made.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `GET ${API_PREFIX}/feeds/1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${made.tokens.viewer}\r\n\r\n`,
    );
    await once(socket, 'data');
    socket.pause();
    const { next } = await listen(made);
    await next();
    await next();
    const reasons = ['x'.repeat(100_000)];
    let sent = 0;
    // Each report is some 100 kB twice; kernels keep a few MB of it for who does not read.
    for (; made.feeds.listeners() === 2 && sent < 400; sent++) {
      made.feeds.end(1, { end: 'failed', reasons });
      await next();
      await next();
    }
    expect(sent).toBeLessThan(400);
    expect(made.feeds.listeners()).toBe(1);
    socket.destroy();
  });
});
