import { addAbortSignal, type Transform } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  type ZlibOptions,
} from 'node:zlib';
import { detailOf, FeedFailure } from './feed-failure.ts';
import { collectOctets } from './octet-collector.ts';

export interface UnpackLimits {
  /** Of what comes out. */
  readonly octetsMax: number;
  /** Its reason is the failure that comes of it. */
  readonly signal: AbortSignal;
}

/** `raw` is deflate without a frame, as in zip; `zlib` with the frame of RFC 1950. */
export type Compression = 'gzip' | 'zlib' | 'raw' | 'br';

/** Large pieces, since each one is a turn of the event loop. */
const CHUNK_OCTETS = 256 * 1024;
/** What lists of names and addresses are packed to, roughly. */
const EXPECTED_RATIO = 3;
const OPTIONS: ZlibOptions = { chunkSize: CHUNK_OCTETS };

const DECODERS: Readonly<Record<Compression, () => Transform & { readonly bytesWritten: number }>> =
  {
    gzip: () => createGunzip(OPTIONS),
    zlib: () => createInflate(OPTIONS),
    raw: () => createInflateRaw(OPTIONS),
    br: () => createBrotliDecompress(OPTIONS),
  };

/**
 * Decompresses in small steps, so that a limit is noticed long before memory is, and other feeds go
 * on meanwhile. Throws a FeedFailure: too large, truncated, or not compressed in this way.
 */
export async function decompress(
  compression: Compression,
  octets: Uint8Array,
  limits: UnpackLimits,
): Promise<Uint8Array> {
  return (await decompressPart(compression, octets, limits)).octets;
}

/** As `decompress`, and says how much of the input it needed: what stands behind it is ignored. */
export async function decompressPart(
  compression: Compression,
  input: Uint8Array,
  { octetsMax, signal }: UnpackLimits,
): Promise<{ readonly octets: Uint8Array; readonly needed: number }> {
  signal.throwIfAborted();
  const decoder = DECODERS[compression]();
  addAbortSignal(signal, decoder);
  decoder.end(input);
  const made = collectOctets(Math.min(input.length * EXPECTED_RATIO, octetsMax));
  try {
    for await (const chunk of decoder as AsyncIterable<Uint8Array>) {
      if (made.length + chunk.length > octetsMax) {
        throw new FeedFailure('too-large', `unpacked more than ${octetsMax} octets`);
      }
      made.add(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw toFailure(error);
  } finally {
    decoder.destroy();
  }
  return { octets: made.take(), needed: decoder.bytesWritten };
}

/** A body without its Content-Encoding (RFC 9110 section 8.4.1); more than one is refused. */
export async function decodeContent(
  body: Uint8Array,
  encoding: string | undefined,
  limits: UnpackLimits,
): Promise<Uint8Array> {
  const name = (encoding ?? '').trim().toLowerCase();
  switch (name) {
    case '':
    case 'identity':
      return body;
    case 'gzip':
    case 'x-gzip':
      return decompress('gzip', body, limits);
    case 'deflate':
      // It means the zlib format, but some servers send deflate without its frame.
      return decompress(hasZlibFrame(body) ? 'zlib' : 'raw', body, limits);
    case 'br':
      return decompress('br', body, limits);
    default:
      throw new FeedFailure('decompress', `the Content-Encoding ${name} was not asked for`);
  }
}

/** RFC 1950 section 2.2: method 8, and a header that is a multiple of 31. */
function hasZlibFrame(octets: Uint8Array): boolean {
  if (octets.length < 2) return false;
  return (octets[0]! & 0x0f) === 8 && (octets[0]! * 256 + octets[1]!) % 31 === 0;
}

function toFailure(error: unknown): FeedFailure {
  if (error instanceof FeedFailure) return error;
  const isCut = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
  return new FeedFailure(isCut ? 'truncated' : 'decompress', detailOf(error));
}
