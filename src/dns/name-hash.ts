import { createHash } from 'node:crypto';
import { lowerCaseName, type Name } from './name.ts';

/** 128 bits: no two names of one server meet, and the label stays short. */
const HASH_OCTETS = 16;

/** A label of 32 hexadecimal digits that stands for a name, the same for every spelling of it. */
export function hashLabel(name: Name): string {
  const digest = createHash('sha256').update(lowerCaseName(name)).digest();
  return digest.subarray(0, HASH_OCTETS).toString('hex');
}
