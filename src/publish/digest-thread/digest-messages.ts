import type { Serial } from '../../dns/serial.ts';
import type { IpSide } from '../../zone/ip-compile.ts';
import type { PrefixPage } from '../../zone/ip-pages.ts';
import type { ZoneSettings } from '../../zone/snapshot.ts';

/** A page under the number by which both sides name it from then on. Hosts go as pages without buckets. */
export interface NumberedPage {
  readonly id: number;
  readonly page: PrefixPage;
}

/** The body of an IP zone, its pages by their numbers. */
export interface BodyOfPages {
  readonly side: IpSide;
  readonly ttl: number;
  readonly v4: Uint32Array;
  readonly v6: Uint32Array;
  readonly hosts: { readonly v4: number; readonly v6: number; readonly leftOut: number };
}

/** What the digest thread is told. It does one after the other, so the order says what is known when. */
export type DigestOrder =
  | { readonly kind: 'keep'; readonly pages: readonly NumberedPage[] }
  | { readonly kind: 'forget'; readonly ids: Uint32Array }
  /** All zones that follow carry this, until the next. */
  | { readonly kind: 'body'; readonly body: BodyOfPages }
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
