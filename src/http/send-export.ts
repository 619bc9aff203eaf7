import { once } from 'node:events';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline, Readable, type Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGzip, type Gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ExportDocument, Pieces } from '../publish/exports/index.ts';

/** A client that takes nothing for so long is cut off, so that it does not hold an old state for ever. */
const STALL_MS_MAX = 120_000;
/** Nearly as small as the default, and faster: zone files repeat themselves. */
const GZIP_LEVEL = 4;

/**
 * Answers an export: 304 when the client has it, else its content as it is made, with gzip where the
 * client takes it. However large it is, at most a few pieces of it are in memory, and none is made
 * before the client has taken those before it.
 */
export function sendExport(
  request: FastifyRequest,
  reply: FastifyReply,
  document: ExportDocument,
): FastifyReply {
  const isGzip = acceptsGzip(request.headers['accept-encoding']);
  // RFC 9110 section 8.8.3.3: each content coding is a representation of its own.
  const etag = `"${document.validator}${isGzip ? '-gzip' : ''}"`;
  reply
    .header('etag', etag)
    .header('vary', 'accept-encoding')
    .header('cache-control', 'private, no-cache');
  if (isCurrent(request.headers['if-none-match'], etag)) return reply.code(304).send();
  reply
    .type(document.mediaType)
    .header('content-disposition', `attachment; filename="${document.fileName}"`);
  return sendPieces(request, reply, () => document.pieces());
}

/**
 * Answers with what is made piece by piece, compressed where the client takes it. None is made before
 * the client has taken those before it, and for HEAD none at all.
 */
export function sendPieces(
  request: FastifyRequest,
  reply: FastifyReply,
  pieces: () => Pieces,
): FastifyReply {
  const isGzip = acceptsGzip(request.headers['accept-encoding']);
  if (isGzip) reply.header('content-encoding', 'gzip');
  reply.header('vary', 'accept-encoding');
  if (request.method === 'HEAD') return reply.send(Readable.from([], { objectMode: false }));
  // From here on the pieces go to the connection themselves: only it says when one is taken.
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  raw.setTimeout(STALL_MS_MAX, () => raw.destroy());
  const sink = isGzip ? createGzip({ level: GZIP_LEVEL }) : raw;
  // What ends one of them ends the other: a client that goes stops the export.
  if (sink !== raw) pipeline(sink as Gzip, raw, () => undefined);
  pump(pieces(), sink, raw).catch((error: unknown) => {
    // Cut off, so that nobody takes half of it for the whole (RFC 9112 section 8).
    if (!raw.destroyed) request.log.error({ err: error }, 'export failed');
    raw.destroy();
  });
  return reply;
}

/** Waits until each piece is taken, and gives the event loop back, so that DNS answers need not wait. */
async function pump(pieces: Pieces, sink: Writable, raw: ServerResponse): Promise<void> {
  const gone = once(raw, 'close').then(() => {
    throw new Error('the client has gone');
  });
  // When all is sent the connection may close as it likes.
  gone.catch(() => undefined);
  for await (const piece of pieces) {
    await Promise.race([taken(sink, piece), gone]);
    await setImmediate();
  }
  sink.end();
}

function taken(sink: Writable, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

/** RFC 9110 section 13.1.2: compared weakly, so a `W/` that a proxy put before it says nothing. */
function isCurrent(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** RFC 9110 section 12.5.3: `gzip` by name, else `*`, unless its weight is 0. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  const weights = new Map<string, number>();
  for (const item of String(header ?? '').split(',')) {
    const [coding, ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    weights.set(coding!, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  const weight = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
  return weight > 0;
}
