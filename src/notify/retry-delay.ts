/** The share of a delay that chance may take away, so that devices that failed together part ways. */
const JITTER = 0.25;

/**
 * How long to wait after `attempts` failed ones (at least 1): doubling from `minMs` to `maxMs`, less
 * up to a quarter. RFC 1996 section 3.6 leaves interval and number to the operator and suggests
 * exponential back-off; it never ends here, since a device that is told nothing stays behind.
 * `random` is in [0, 1).
 */
export function retryDelayMs(
  attempts: number,
  { minMs, maxMs }: { readonly minMs: number; readonly maxMs: number },
  random: number,
): number {
  return Math.min(maxMs, minMs * 2 ** (attempts - 1)) * (1 - JITTER * random);
}
