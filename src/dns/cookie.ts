import type { CookieSecrets } from './cookie-secrets.ts';
import type { EdnsOption } from './edns.ts';
import { readUint32, writeOctets, writeUint32 } from './octets.ts';
import { EDNS_OPTION } from './registry.ts';
import { SIPHASH_KEY_OCTETS, SIPHASH_OCTETS, sipHash } from './siphash.ts';

/**
 * DNS Cookies of a server: RFC 7873, with the server cookies of RFC 9018 section 4, so that servers
 * of any make that share a secret and an address accept each other's.
 */

export const COOKIE_SECRET_OCTETS = SIPHASH_KEY_OCTETS;

export type CookieVerdict =
  /** Not of a length that RFC 7873 section 4 knows: FORMERR (section 5.2.2). */
  | 'malformed'
  /** No server cookie yet. */
  | 'client-only'
  /** A server cookie that we did not make for this client, or too long ago. */
  | 'bad'
  | 'valid'
  /** Valid still; the answer has a new one. */
  | 'renew';

export interface CookieCheck {
  /** The client's address, 4 or 16 octets. */
  readonly address: Uint8Array;
  readonly nowSeconds: number;
  readonly secrets: CookieSecrets;
}

/** What the content of a COOKIE option in a query says of its sender. */
export function judgeCookie(cookie: Uint8Array, check: CookieCheck): CookieVerdict {
  const { length } = cookie;
  if (length === CLIENT_COOKIE_OCTETS) return 'client-only';
  if (length < COOKIE_OCTETS_MIN || length > COOKIE_OCTETS_MAX) return 'malformed';
  // RFC 9018 section 4.1: ours have 16 octets and begin with the version.
  if (length !== COOKIE_OCTETS || cookie[VERSION_AT] !== VERSION) return 'bad';
  const { address, nowSeconds, secrets } = check;
  // RFC 9018 section 4.3: serial arithmetic (RFC 1982), so that 2106 passes unnoticed.
  const age = (nowSeconds - readUint32(cookie, TIMESTAMP_AT)) | 0;
  if (age > AGE_SECONDS_MAX || age < -AHEAD_SECONDS_MAX) return 'bad';
  if (isMadeWith(secrets.active, cookie, address)) return age > RENEW_SECONDS ? 'renew' : 'valid';
  return secrets.accepted.some((secret) => isMadeWith(secret, cookie, address)) ? 'renew' : 'bad';
}

/** The COOKIE option of an answer: the client's cookie, and a server cookie of now for it. */
export function cookieOption(
  clientCookie: Uint8Array,
  { address, nowSeconds, secrets }: CookieCheck,
): EdnsOption {
  const data = new Uint8Array(COOKIE_OCTETS);
  writeOctets(data, 0, clientCookie, 0, CLIENT_COOKIE_OCTETS);
  data[VERSION_AT] = VERSION;
  writeUint32(data, TIMESTAMP_AT, nowSeconds);
  writeHash(secrets.active, data, address, data, HASH_AT);
  return { code: EDNS_OPTION.COOKIE, data };
}

const CLIENT_COOKIE_OCTETS = 8;
/** RFC 7873 section 4: a server cookie has 8 to 32 octets. */
const COOKIE_OCTETS_MIN = CLIENT_COOKIE_OCTETS + 8;
const COOKIE_OCTETS_MAX = CLIENT_COOKIE_OCTETS + 32;

/** RFC 9018 section 4: version, three reserved octets, timestamp, hash. */
const VERSION_AT = CLIENT_COOKIE_OCTETS;
const TIMESTAMP_AT = 12;
const HASH_AT = 16;
const COOKIE_OCTETS = HASH_AT + SIPHASH_OCTETS;
const VERSION = 1;

/** RFC 9018 section 4.3: how old a cookie may be, how far ahead, and when it gets a successor. */
const AGE_SECONDS_MAX = 3600;
const AHEAD_SECONDS_MAX = 300;
const RENEW_SECONDS = 1800;

function isMadeWith(secret: Uint8Array, cookie: Uint8Array, address: Uint8Array): boolean {
  writeHash(secret, cookie, address, expected, 0);
  // All octets are looked at, so that the time taken tells nothing of how many were right.
  let difference = 0;
  for (let i = 0; i < SIPHASH_OCTETS; i += 1) difference |= expected[i] ^ cookie[HASH_AT + i];
  return difference === 0;
}

/** RFC 9018 section 4.4: client cookie, version, reserved, timestamp and address, hashed with the secret. */
function writeHash(
  secret: Uint8Array,
  cookie: Uint8Array,
  address: Uint8Array,
  into: Uint8Array,
  offset: number,
): void {
  const end = writeOctets(hashed, writeOctets(hashed, 0, cookie, 0, HASH_AT), address);
  sipHash(secret, hashed, end, into, offset);
}

/** Used within one call each, so that nothing is allocated for a hash. */
const expected = new Uint8Array(SIPHASH_OCTETS);
const hashed = new Uint8Array(HASH_AT + 16);
