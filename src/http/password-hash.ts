import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { normalPassword } from '../publish/edits/index.ts';

/** What one scrypt hash costs (RFC 7914 section 2): 128 · N · r octets of memory, p times over. */
export interface PasswordCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and about a tenth of a second. Raise it here: older hashes are replaced at the next login. */
export const PASSWORD_COST: PasswordCost = { N: 2 ** 15, r: 8, p: 1 };
export const PASSWORD_SALT_OCTETS = 16;
const HASH_OCTETS = 32;
/** So that a damaged row cannot ask for all memory. */
const STORED_COST_MAX: PasswordCost = { N: 2 ** 20, r: 32, p: 16 };

interface StoredHash extends PasswordCost {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** `scrypt$N$r$p$salt$hash`, salt and hash in base64url: the form that is stored. */
export async function hashPassword(
  password: string,
  salt: Uint8Array,
  cost: PasswordCost,
): Promise<string> {
  const hash = await derive(password, salt, cost);
  const parts = [cost.N, cost.r, cost.p, base64url(salt), base64url(hash)];
  return ['scrypt', ...parts].join('$');
}

/** Whether the password is the one that was hashed, at the cost that the stored text says. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const { salt, hash, ...cost } = readStoredHash(stored);
  return timingSafeEqual(await derive(password, salt, cost), hash);
}

/** Whether a new hash of the same password would be made at another cost. */
export function isOutdatedHash(stored: string, cost: PasswordCost): boolean {
  const { N, r, p } = readStoredHash(stored);
  return N !== cost.N || r !== cost.r || p !== cost.p;
}

function readStoredHash(stored: string): StoredHash {
  const [scheme, N, r, p, salt = '', hash = ''] = stored.split('$');
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const isBounded = (['N', 'r', 'p'] as const).every(
    (key) => Number.isInteger(cost[key]) && cost[key] >= 1 && cost[key] <= STORED_COST_MAX[key],
  );
  const octets = Buffer.from(hash, 'base64url');
  if (scheme !== 'scrypt' || !isBounded || octets.length !== HASH_OCTETS)
    throw new Error('a stored password hash is damaged');
  return { ...cost, salt: Buffer.from(salt, 'base64url'), hash: octets };
}

function derive(password: string, salt: Uint8Array, { N, r, p }: PasswordCost): Promise<Buffer> {
  // What Node counts against `maxmem` is a little more than the 128 · N · r of the blocks.
  const options: ScryptOptions = { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 };
  const octets = Buffer.from(normalPassword(password), 'utf8');
  return new Promise((resolve, reject) => {
    scrypt(octets, salt, HASH_OCTETS, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function base64url(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64url');
}
