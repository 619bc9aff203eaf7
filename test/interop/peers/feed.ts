import type { Endpoint } from './endpoint.ts';
import type { TsigKey } from './tsig-key.ts';
import { keyValues } from './tsig-key.ts';

/** A zone that a peer takes from a primary: as a policy to enforce, or to serve. */
export interface ZoneSource {
  readonly zone: string;
  readonly primary: Endpoint;
  readonly key?: TsigKey;
}

/** For a program that serves, as a secondary, one zone, or all that a catalog zone lists. */
export interface SecondaryOptions {
  readonly listen?: Endpoint;
  readonly secondary: ZoneSource;
  /** Whether the zone is a catalog zone to be followed. */
  readonly isCatalog?: boolean;
}

/** A zone that a peer serves as the primary, from text in master file format. */
export interface PrimaryZone {
  readonly zone: string;
  readonly text: string;
  /** Needed for transfers, and NOTIFY is signed with it. Without one, anyone may transfer. */
  readonly key?: TsigKey;
  /** Secondaries that are told of changes. */
  readonly notify?: readonly Endpoint[];
  /** False for a zone whose serial may fall: BIND then keeps no differences for IXFR. */
  readonly incremental?: boolean;
}

/** What the placeholders of the files in `config/` stand for, given a source and the client. */
export function sourceValues(source: ZoneSource, own: Endpoint, folder: string) {
  return {
    zone: source.zone,
    catalog: source.zone,
    'primary-address': source.primary.address,
    'primary-port': source.primary.port,
    'own-address': own.address,
    'state-folder': folder,
    clients: '127.0.0.0/8',
    'refresh-seconds': 1,
    ...keyValues(source.key),
  };
}
