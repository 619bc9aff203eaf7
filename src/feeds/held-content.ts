import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { readUint32, writeUint32 } from '../dns/octets.ts';
import type { PackedIndicators } from '../indicators/indicator.ts';
import type { FeedRun } from '../publish/feeds-port.ts';
import type { FeedValidators } from './worker/index.ts';

/**
 * The content of a run that waits for a person. It holds indicators and no ids: those may have
 * changed before it is released.
 */
export interface HeldContent {
  readonly run: FeedRun;
  readonly validators: FeedValidators;
  readonly incremental: boolean;
  readonly packed: PackedIndicators;
  readonly withdrawn: PackedIndicators;
  /** As `encodeNotes` wrote them. */
  readonly notes: Uint8Array;
}

interface Header extends Pick<HeldContent, 'run' | 'validators' | 'incremental'> {
  readonly sets: readonly { readonly count: number; readonly octets: number }[];
}

/** Octets of a content that is read back; more would have to come from a database that we did not write. */
const OCTETS_MAX = 2 ** 31;

const compress = promisify<Uint8Array, Buffer>(gzip);
const decompress = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip);

/** The length of a JSON text (4 octets), the text, the buffers of both sets, the notes; all compressed. */
export async function encodeHeld(held: HeldContent): Promise<Uint8Array> {
  const { run, validators, incremental, packed, withdrawn, notes } = held;
  const sets = [packed, withdrawn].map(({ count, keys }) => ({ count, octets: keys.length }));
  const header: Header = { run, validators, incremental, sets };
  const text = Buffer.from(JSON.stringify(header));
  const length = new Uint8Array(4);
  writeUint32(length, 0, text.length);
  return compress(
    Buffer.concat([length, text, ...buffersOf(packed), ...buffersOf(withdrawn), notes]),
  );
}

export async function decodeHeld(bytes: Uint8Array): Promise<HeldContent> {
  const octets = await decompress(bytes, { maxOutputLength: OCTETS_MAX });
  let at = 4 + readUint32(octets, 0);
  const { sets, ...rest } = JSON.parse(octets.toString('utf8', 4, at)) as Header;
  const take = (length: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(octets.subarray(at, (at += length)));
  const [packed, withdrawn] = sets.map(({ count, octets: keyOctets }): PackedIndicators => {
    const kinds = take(count);
    const ends = new Uint32Array(take(count * 4).buffer);
    return { count, kinds, ends, keys: take(keyOctets) };
  });
  return { ...rest, packed: packed!, withdrawn: withdrawn!, notes: take(octets.length - at) };
}

function buffersOf({ kinds, ends, keys }: PackedIndicators): Uint8Array[] {
  return [kinds, new Uint8Array(ends.buffer, ends.byteOffset, ends.byteLength), keys];
}
