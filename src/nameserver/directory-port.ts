import type { Name } from '../dns/name.ts';
import type { Serial } from '../dns/serial.ts';
import type { TsigKey } from '../dns/tsig.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import type { DeviceId } from '../policy/model.ts';
import type { ZoneSettings, ZoneSnapshot } from '../zone/snapshot.ts';

/** Who a query came from, as far as it is proven: the key that signed it, and its source address. */
export interface Requester {
  readonly key: TsigKey | null;
  /** Text form; IPv4-mapped addresses as IPv4. */
  readonly address: string;
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
  /** The device that may read the zone and is this requester; null refuses. */
  authorise(zone: ZoneSnapshot, requester: Requester): DeviceId | null;
  /** Whether the requester is any device at all. */
  isKnown(requester: Requester): boolean;
  /** Names of the targets and lists that put an address (1 or 4 words) on a side of an IP policy. */
  listedBy(zone: ZoneSnapshot, words: Uint32Array): readonly string[];
}

/** What the nameserver tells about devices: recorded elsewhere. */
export interface Observer {
  polled(event: {
    readonly deviceId: DeviceId;
    readonly zone: ZoneSnapshot;
    readonly address: string;
  }): void;
  transferred(event: {
    readonly deviceId: DeviceId;
    readonly zone: ZoneSnapshot;
    readonly address: string;
    readonly kind: 'AXFR' | 'IXFR';
    readonly octets: number;
    readonly durationMs: number;
    readonly completed: boolean;
  }): void;
  answered(rcode: number, protocol: 'udp' | 'tcp'): void;
}
