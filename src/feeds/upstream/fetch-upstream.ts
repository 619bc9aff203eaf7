import { parseName, serial } from '../../dns/index.ts';
import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { receiveZone } from './receive-zone.ts';
import { keyOf, type TransferSource } from './transfer-source.ts';

export type { TransferSource };

import { createUpstreamContent } from './upstream-content.ts';

export interface FetchUpstreamOptions {
  readonly source: TransferSource;
  /** The serial that what was published before came from; null for none. */
  readonly have: number | null;
  readonly parse: ParseFeedOptions;
  readonly octetsMax: number;
  readonly idleMs: number;
  readonly signal: AbortSignal;
  readonly onOctets: (octets: number) => void;
}

export type FetchedUpstream =
  | { readonly kind: 'current'; readonly serial: number }
  | {
      readonly kind: 'content';
      readonly serial: number;
      readonly content: FeedContent;
      /** What changed only: to be added to what is there, without what is withdrawn. */
      readonly incremental: boolean;
      readonly octets: number;
    };

/** Takes a zone, or what changed in it, from its primary and reads it as a feed. Throws FeedFailure. */
export async function fetchUpstream(options: FetchUpstreamOptions): Promise<FetchedUpstream> {
  const { source, have } = options;
  const zone = parseName(source.zone);
  let octets = 0;
  const content = createUpstreamContent(zone, source.form, options.parse);
  const end = await receiveZone(
    {
      address: source.address,
      port: source.port,
      zone,
      key: keyOf(source),
      have: have === null ? null : serial(have),
      octetsMax: options.octetsMax,
      idleMs: options.idleMs,
      signal: options.signal,
      nowSeconds: () => Math.floor(Date.now() / 1000),
      onOctets(received) {
        octets = received;
        options.onOctets(received);
      },
    },
    content,
  );
  if (end.isCurrent) return { kind: 'current', serial: end.serial };
  if (content.isUnclear()) return fetchUpstream({ ...options, have: null });
  return {
    kind: 'content',
    serial: end.serial,
    content: content.finish(),
    incremental: !content.isWhole(),
    octets,
  };
}
