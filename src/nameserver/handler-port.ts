/** Who sent a query. */
export interface Peer {
  /** `tls` is DNS over TLS (RFC 7858), and with it zone transfer over TLS (RFC 9103). */
  readonly protocol: Transport;
  /**
   * Text form without zone id; an IPv4-mapped IPv6 address is shown as IPv4. Behind a proxy that is
   * believed it is the client's, not the proxy's.
   */
  readonly address: string;
  readonly port: number;
  /** DNS names of the client certificate that was verified, lower case, with final dot; absent without one. */
  readonly certificateNames?: readonly string[];
}

export type Transport = 'udp' | 'tcp' | 'tls';

/** What becomes of one query. */
export type Answer =
  /** Dropped without a word. */
  | { readonly kind: 'none' }
  /**
   * One message. The server has sent or copied `bytes` before it calls the handler again, so the
   * handler may write every answer into the same buffer, and give the same object again.
   */
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** A transfer, over TCP and TLS only. */
  | {
      readonly kind: 'stream';
      /** Whom limits per key count it for: the name of the TSIG key, and how many it may have at once. */
      readonly key: { readonly name: string; readonly transfersMax: number | null } | null;
      /** Expected to take a few pieces at most, so that it need not wait behind long ones. */
      readonly isShort: boolean;
      /**
       * Fills `buffer`, which has TRANSFER_PIECE_OCTETS, with whole messages, each with its
       * two-octet length in front; returns the number of octets written, 0 at the end. It is
       * called again when the client has taken the piece before, at the client's own pace: what
       * it needs until `ended` must not change under it.
       */
      fill(buffer: Uint8Array): number;
      /**
       * Called exactly once, whatever happens; `fill` is not called after it. `completed` says
       * that everything was handed to the network, `octets` how much of it was (with length
       * octets), `durationMs` the time since the first `fill` (0 when it never came to that).
       */
      ended(outcome: {
        readonly completed: boolean;
        readonly octets: number;
        readonly durationMs: number;
      }): void;
    };

/**
 * Answers one query of at least twelve octets with QR clear; everything else in it is unchecked.
 * `query` is a view that is valid during the call only. When it throws, the client gets SERVFAIL.
 */
export type Handler = (query: Uint8Array, peer: Peer) => Answer;

/** Octets of the buffer given to `fill`: always more than one message of 65,535 with its length. */
export const TRANSFER_PIECE_OCTETS = 262_144;
