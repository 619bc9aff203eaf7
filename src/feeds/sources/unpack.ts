import { decompress, type UnpackLimits } from './decompress.ts';
import { FeedFailure } from './feed-failure.ts';
import { joinTexts } from './join-octets.ts';
import { unzip } from './unzip.ts';

/** A text, and of how many files it was put together. */
export interface UnpackedText {
  readonly octets: Uint8Array;
  readonly files: number;
}

/** What files of these kinds begin with: none of it can begin a text. */
const MAGICS: readonly { readonly kind: string; readonly octets: readonly number[] }[] = [
  { kind: 'gzip', octets: [0x1f, 0x8b, 0x08] },
  { kind: 'zip', octets: [0x50, 0x4b, 0x03, 0x04] },
  { kind: 'zip', octets: [0x50, 0x4b, 0x05, 0x06] },
  { kind: 'bzip2', octets: [0x42, 0x5a, 0x68] },
  { kind: 'xz', octets: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { kind: '7z', octets: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c] },
  { kind: 'zstd', octets: [0x28, 0xb5, 0x2f, 0xfd] },
  { kind: 'rar', octets: [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07] },
];

/** Where a tar archive says what it is (POSIX ustar). */
const TAR_MAGIC_AT = 257;

/**
 * Takes a text out of what it is packed in, which its first octets say, not its name: gzip, or a
 * zip archive, whose files become one text. One layer and no more; other packings are refused by
 * name. Throws a FeedFailure.
 */
export async function unpack(octets: Uint8Array, limits: UnpackLimits): Promise<UnpackedText> {
  const kind = packingOf(octets);
  if (kind === null) return { octets, files: 1 };
  if (kind === 'zip') {
    const files = await unzip(octets, limits);
    for (const file of files) refuseLayer(file);
    return { octets: joinTexts(files), files: files.length };
  }
  if (kind !== 'gzip') throw unreadable(kind);
  const text = await decompress('gzip', octets, limits);
  refuseLayer(text);
  return { octets: text, files: 1 };
}

function refuseLayer(octets: Uint8Array): void {
  const kind = packingOf(octets);
  if (kind !== null) throw unreadable(`${kind} inside`);
}

function packingOf(octets: Uint8Array): string | null {
  const begins = ({ octets: magic }: (typeof MAGICS)[number], at = 0) =>
    magic.every((octet, index) => octets[at + index] === octet);
  const found = MAGICS.find((magic) => begins(magic));
  // "BZh" can begin a text; the digit and the mark of a block behind it do not.
  if (found?.kind === 'bzip2' && (octets[4] !== 0x31 || octets[5] !== 0x41)) return null;
  if (found !== undefined) return found.kind;
  const isTar = begins({ kind: 'tar', octets: [0x75, 0x73, 0x74, 0x61, 0x72] }, TAR_MAGIC_AT);
  return isTar && octets[TAR_MAGIC_AT + 5] !== 0x2e ? 'tar' : null;
}

function unreadable(kind: string): FeedFailure {
  return new FeedFailure('decompress', `it is packed as ${kind}, and gzip and zip are read`);
}
