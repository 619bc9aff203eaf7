import type { Name } from '../dns/name.ts';
import type { TsigKey } from '../dns/tsig.ts';

/**
 * What becomes of a NOTIFY: `taken` when its sender is a primary of a zone that is followed,
 * `stranger` when the zone is followed but not from there, `not-followed` otherwise.
 */
export type NotifyVerdict = 'taken' | 'stranger' | 'not-followed';

/** The zones of others that this server follows, as far as their NOTIFYs concern it. */
export interface Upstreams {
  findKey(name: Name): TsigKey | undefined;
  /** `key` is the one that signed; addresses are in text form, IPv4-mapped ones as IPv4. */
  notified(event: {
    readonly zone: Name;
    readonly address: string;
    readonly key: TsigKey | null;
  }): NotifyVerdict;
}
