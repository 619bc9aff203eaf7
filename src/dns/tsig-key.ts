import { createHmac, createSecretKey, type Hmac, type KeyObject } from 'node:crypto';
import { type Name, nameKey, parseName } from './name.ts';

/** The algorithms of RFC 8945 section 6 that Sluice knows; src/dns/README.md lists the others. */
export const TSIG_ALGORITHMS = {
  'hmac-sha256': { name: parseName('hmac-sha256.'), hash: 'sha256', macOctets: 32 },
  'hmac-sha384': { name: parseName('hmac-sha384.'), hash: 'sha384', macOctets: 48 },
  'hmac-sha512': { name: parseName('hmac-sha512.'), hash: 'sha512', macOctets: 64 },
  // RFC 8945 section 6: these two are not recommended; verifiers take them only when told to.
  'hmac-sha1': { name: parseName('hmac-sha1.'), hash: 'sha1', macOctets: 20 },
  'hmac-md5': { name: parseName('hmac-md5.sig-alg.reg.int.'), hash: 'md5', macOctets: 16 },
} as const satisfies Record<string, TsigAlgorithmFacts>;

export type TsigAlgorithm = keyof typeof TSIG_ALGORITHMS;

interface TsigAlgorithmFacts {
  /** As it stands in a TSIG record. */
  readonly name: Name;
  readonly hash: string;
  /** Length of a MAC that is not truncated. */
  readonly macOctets: number;
}

export const TSIG_MAC_OCTETS_MAX = 64;

export interface TsigKey {
  readonly name: Name;
  readonly algorithm: TsigAlgorithm;
  /** Must not change: what is derived from it is kept as long as this array lives. */
  readonly secret: Uint8Array;
}

const algorithms = new Map(
  Object.entries(TSIG_ALGORITHMS).map(([algorithm, { name }]) => [
    nameKey(name),
    algorithm as TsigAlgorithm,
  ]),
);

/** The algorithm that a TSIG record names, or undefined. */
export function tsigAlgorithmOf(name: Name): TsigAlgorithm | undefined {
  return algorithms.get(nameKey(name));
}

/**
 * An HMAC with the key, nothing in it yet. Node spends several times longer on turning raw octets
 * into a key than on the MAC of a small message, so the key object is kept beside the secret.
 */
export function startMac(key: TsigKey): Hmac {
  let keyObject = keyObjects.get(key.secret);
  if (keyObject === undefined) {
    keyObject = createSecretKey(key.secret);
    keyObjects.set(key.secret, keyObject);
  }
  return createHmac(TSIG_ALGORITHMS[key.algorithm].hash, keyObject);
}

const keyObjects = new WeakMap<Uint8Array, KeyObject>();
