import { IPV6_OCTETS } from '../dns/address.ts';
import { writeAddress } from '../dns/address-octets.ts';
import { type CookieCheck, type CookieVerdict, judgeCookie } from '../dns/cookie.ts';
import type { CookieSecrets } from '../dns/cookie-secrets.ts';

/** What the nameserver needs to answer cookies. */
export interface CookieOptions {
  /** Secrets of now. */
  readonly secrets: () => CookieSecrets;
  /** Whether queries over UDP must have a valid cookie. */
  readonly required: boolean;
}

export interface CookieDesk {
  readonly required: boolean;
  judge(cookie: Uint8Array, address: string): CookieVerdict;
  /** What a cookie for this client is made with. Valid until the next call. */
  checkFor(address: string): CookieCheck;
}

export function createCookieDesk(
  { secrets, required }: CookieOptions,
  nowSeconds: () => number,
): CookieDesk {
  const octets = new Uint8Array(IPV6_OCTETS);
  const checkFor = (address: string): CookieCheck => ({
    address: octets.subarray(0, writeAddress(address, octets)),
    nowSeconds: nowSeconds(),
    secrets: secrets(),
  });
  return {
    required,
    judge: (cookie, address) => judgeCookie(cookie, checkFor(address)),
    checkFor,
  };
}
