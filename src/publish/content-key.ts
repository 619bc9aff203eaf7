import { createHash, type Hash } from 'node:crypto';
import type { IdSet } from '../indicators/id-set.ts';
import { MEMBER_FORMS } from '../indicators/indicator.ts';
import type { MemberSets } from '../policy/member-sets.ts';
import type { Member } from '../policy/members.ts';
import type { RpzRendering } from '../zone/rpz-rendering.ts';
import { RENDERING_VERSION } from './zone-build.ts';

/**
 * A hash of all that the rules of a DNS policy follow from: its members in their order of precedence,
 * what each holds, and the numbers of their actions. Equal for equal rules under one catalogue.
 */
export function contentKey(members: readonly Member[], { numberOf }: RpzRendering): string {
  const hash = createHash('sha256').update(`${RENDERING_VERSION}`);
  for (const { tier, action, sets } of members) {
    hash.update(` ${tier} ${numberOf(action)} ${membersHash(sets)}`);
  }
  return hash.digest('hex');
}

/** Made once for each set of members, which many policies may share. */
function membersHash(sets: MemberSets): string {
  const known = hashes.get(sets);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const form of MEMBER_FORMS) addIds(hash, sets[form]);
  const made = hash.digest('hex');
  hashes.set(sets, made);
  return made;
}

const hashes = new WeakMap<MemberSets, string>();

/** Equal sets have equal chunks: which form a chunk has depends on how many ids it holds alone. */
function addIds(hash: Hash, { chunks }: IdSet): void {
  for (const [place, chunk] of chunks.entries()) {
    if (chunk === undefined) continue;
    hash.update(` ${place} ${chunk.BYTES_PER_ELEMENT} ${chunk.length} `);
    hash.update(chunk);
  }
  hash.update('.');
}
