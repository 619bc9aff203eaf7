import type { Serial } from '../../dns/serial.ts';
import type { IpSide } from '../../zone/ip-compile.ts';
import type { PrefixPage } from '../../zone/ip-pages.ts';
import type { ZoneSettings } from '../../zone/snapshot.ts';

/** A page under the number by which both sides name it from then on. Hosts go as pages without buckets. */
export interface NumberedPage {
  readonly id: number;
  readonly page: PrefixPage;
}

/** The body of an IP zone. */
export interface NumberedBody {
  readonly side: IpSide;
  readonly ttl: number;
  /** Its pages: so many of IPv4, those of IPv6, and one with the hosts of each. */
  readonly ids: Uint32Array;
  readonly pages4: number;
  readonly leftOut: number;
}

/** What the digest thread is told. It does one after the other, so the order says what is known when. */
export type DigestOrder =
  | { readonly kind: 'keep'; readonly pages: readonly NumberedPage[] }
  | { readonly kind: 'forget'; readonly ids: Uint32Array }
  /** All zones that follow carry this, until the next. */
  | { readonly kind: 'body'; readonly body: NumberedBody }
  | {
      readonly kind: 'digest';
      readonly zones: readonly {
        readonly id: number;
        readonly settings: ZoneSettings;
        readonly serial: Serial;
      }[];
    }
  /** Let go of everything and end. */
  | { readonly kind: 'end' };

/** What it says of zone `id`. A thread that cannot answer dies of it. */
export interface DigestReport {
  readonly id: number;
  readonly digest: Uint8Array;
}
