import type { Name } from '../dns/name.ts';
import type { Serial } from '../dns/serial.ts';
import type { TsigKey } from '../dns/tsig.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import type { DeviceId } from '../policy/model.ts';
import type { ZoneSettings, ZoneSnapshot } from '../zone/snapshot.ts';
import type { Transport } from './handler-port.ts';

/**
 * Who a query came from, as far as it is proven: the key that signed it, its source address, and the
 * certificate that was shown on the connection.
 */
export interface Requester {
  readonly key: TsigKey | null;
  /** Text form; IPv4-mapped addresses as IPv4. */
  readonly address: string;
  /** Lower case, with final dot; absent without a verified certificate. */
  readonly certificateNames?: readonly string[];
}

/** What the nameserver reads. Everything is of one moment; nothing here waits or writes. */
export interface Directory {
  readonly catalogue: Catalogue;
  /** The root below which all zones are, as if it were one itself. */
  readonly root: ZoneSettings;
  /** The zone that a name is in: that with the longest origin. */
  zoneOf(name: Name): ZoneSnapshot | null;
  /** Whether some zone lies at or below the name. */
  hasZoneBelow(name: Name): boolean;
  /** The highest serial of all zones. */
  highestSerial(): Serial;
  findKey(name: Name): TsigKey | undefined;
  /** How many transfers a key may have at once where that differs from the setting; null where not. */
  transfersMaxOf(key: TsigKey): number | null;
  /** The device that may read the zone and is this requester; null refuses. */
  authorise(zone: ZoneSnapshot, requester: Requester): DeviceId | null;
  /** Whether the requester is any device at all. */
  isKnown(requester: Requester): boolean;
  /** Names of the targets and lists that put an address (1 or 4 words) on a side of an IP policy. */
  listedBy(zone: ZoneSnapshot, words: Uint32Array): readonly string[];
}

/** What the nameserver tells about devices: recorded elsewhere. */
export interface Observer {
  polled(event: AskedEvent): void;
  transferred(
    event: AskedEvent & {
      readonly kind: 'AXFR' | 'IXFR';
      readonly octets: number;
      readonly durationMs: number;
      readonly completed: boolean;
    },
  ): void;
  /** A question about our zones that was not answered with data. Anyone can bring it about, at any pace. */
  refused(event: RefusedEvent): void;
  answered(rcode: number, protocol: Transport): void;
}

/** A device asked for a zone that it may read. */
export interface AskedEvent {
  readonly deviceId: DeviceId;
  readonly zone: ZoneSnapshot;
  readonly address: string;
  readonly protocol: Transport;
  /** The key that signed the question; null when it was not signed. */
  readonly key: TsigKey | null;
  /** Of the SOA in an IXFR question: what the client holds (RFC 1995 section 3). Null or absent for other questions. */
  readonly clientSerial?: Serial | null;
}

export interface RefusedEvent {
  /** As it was asked for, in presentation form; null when there was no question to read. */
  readonly name: string | null;
  readonly address: string;
  readonly protocol: Transport;
  /**
   * `prohibited`: the zone is there and not for this requester. `not-authoritative`: there is no such
   * zone. `tsig`: the signature was not accepted.
   */
  readonly reason: 'prohibited' | 'not-authoritative' | 'tsig';
  /** BADKEY, BADSIG, BADTIME or BADTRUNC, with the name that the key was given. */
  readonly tsig: { readonly error: string; readonly keyName: string } | null;
  /** Of the key whose signature was accepted. */
  readonly keyName: string | null;
  readonly certificateNames: readonly string[];
}
