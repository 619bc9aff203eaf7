import type { FastifyInstance, FastifyReply } from 'fastify';
import { HttpProblem } from './problem.ts';

/** Streams that may be open at a time, of all listeners together. */
export const STREAMS_MAX = 32;
/** How often a stream says that it is alive, so that proxies keep it, and looks whether it may go on. */
export const HEARTBEAT_MS = 15_000;
/** Octets that a slow listener leaves unread before it is cut off. */
const UNREAD_OCTETS_MAX = 256 * 1024;
/** After how long a browser that lost its stream asks again. */
const RETRY_MS = 5_000;

/** One stream of server-sent events (WHATWG HTML, section 9.2). */
export interface EventStream {
  /** What can be left out, such as one of many reports of progress, is left out for slow listeners. */
  send(event: string, data: unknown, options?: { readonly canBeLeftOut?: boolean }): void;
}

export interface OpenedStream {
  /** Starts what writes into the stream; what it returns ends that. */
  readonly start: (stream: EventStream) => () => void;
  /** Asked at each heartbeat: who listens may have lost the right to, and what is told of be gone. */
  readonly mayGoOn: () => boolean;
}

/** The open streams of one API. All of them end when it stops. */
export interface EventStreams {
  /** Throws HttpProblem when there are too many already. */
  open(reply: FastifyReply, opened: OpenedStream): void;
}

export function createEventStreams(app: FastifyInstance): EventStreams {
  const ends = new Set<() => void>();
  // Before the server waits for its connections, which would never be done by themselves.
  app.addHook('preClose', async () => {
    for (const end of [...ends]) end();
  });
  return {
    open(reply, { start, mayGoOn }) {
      if (ends.size >= STREAMS_MAX) {
        const detail = `There are ${STREAMS_MAX} listeners already: try again when one has left.`;
        throw new HttpProblem('too-many-listeners', detail, null, RETRY_MS / 1_000);
      }
      const { raw } = reply;
      const end = (): void => {
        if (!ends.delete(end)) return;
        clearInterval(heartbeat);
        stop();
        raw.end();
      };
      const write = (text: string): void => {
        raw.write(text);
        if (raw.writableLength <= UNREAD_OCTETS_MAX) return;
        end();
        raw.destroy();
      };
      let stop = (): void => {};
      const heartbeat = setInterval(() => {
        if (mayGoOn()) write(':\n\n');
        else end();
      }, HEARTBEAT_MS);
      ends.add(end);
      raw.on('close', end);
      raw.on('error', end);
      begin(reply);
      write(`retry: ${RETRY_MS}\n\n`);
      const send: EventStream['send'] = (event, data, { canBeLeftOut = false } = {}) => {
        if (!ends.has(end) || (canBeLeftOut && raw.writableNeedDrain)) return;
        write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      };
      try {
        stop = start({ send });
      } catch (error) {
        end();
        throw error;
      }
      // What was told at once may have been too much, or the client gone.
      if (!ends.has(end)) stop();
    },
  };
}

function begin(reply: FastifyReply): void {
  reply.header('content-type', 'text/event-stream; charset=utf-8');
  reply.header('cache-control', 'no-store');
  // Proxies that collect answers would hold events back.
  reply.header('x-accel-buffering', 'no');
  reply.hijack();
  reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>);
}
