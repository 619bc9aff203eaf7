/** What server cookies are made and checked with. */
export interface CookieSecrets {
  readonly active: Uint8Array;
  /** Accepted beside the active one: cookies made with them are replaced (RFC 9018 section 5). */
  readonly accepted: readonly Uint8Array[];
}

/** Secrets of one text at most: the active one, and those before and after it. */
const SECRETS_MAX = 8;

/**
 * Reads lines of 32 hexadecimal digits: the first makes cookies, all are accepted, so that a new
 * secret can be made known to all servers before one begins to use it (RFC 9018 section 5). Empty
 * lines and those that begin with # are skipped. Throws an Error that names the line and the rule,
 * never what is in the line.
 */
export function parseCookieSecrets(text: string): CookieSecrets {
  const secrets: Uint8Array[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const digits = line.trim();
    if (digits === '' || digits.startsWith('#')) continue;
    if (!/^[0-9a-f]{32}$/i.test(digits)) {
      throw new Error(`line ${index + 1} is not a secret of 32 hexadecimal digits`);
    }
    secrets.push(Uint8Array.from(Buffer.from(digits, 'hex')));
  }
  const [active, ...accepted] = secrets;
  if (active === undefined) throw new Error('there is no secret of 32 hexadecimal digits');
  if (secrets.length > SECRETS_MAX) {
    throw new Error(`there are ${secrets.length} secrets, and at most ${SECRETS_MAX} may be`);
  }
  return { active, accepted };
}
