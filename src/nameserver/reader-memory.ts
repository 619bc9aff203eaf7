import type { DeviceId } from '../policy/model.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { Directory } from './directory-port.ts';

/** Who may read a zone by source address alone, as the directory said when it was asked first. */
export interface ReaderMemory {
  readerOf(directory: Directory, zone: ZoneSnapshot, address: string): DeviceId | null;
  /** Comes before another directory is asked. */
  clear(): void;
}

/** Addresses of all zones together; beyond it the memory begins anew. Sources over UDP can be forged. */
const ADDRESSES_MAX = 16_384;

export function createReaderMemory(): ReaderMemory {
  const byZone = new Map<ZoneSnapshot, Map<string, DeviceId | null>>();
  let remembered = 0;

  const clear = (): void => {
    byZone.clear();
    remembered = 0;
  };

  const remember = (zone: ZoneSnapshot, address: string, reader: DeviceId | null): void => {
    if (remembered === ADDRESSES_MAX) clear();
    const byAddress = byZone.get(zone) ?? new Map<string, DeviceId | null>();
    byZone.set(zone, byAddress.set(address, reader));
    remembered += 1;
  };

  return {
    readerOf(directory, zone, address) {
      const known = byZone.get(zone)?.get(address);
      if (known !== undefined) return known;
      const reader = directory.authorise(zone, { key: null, address });
      remember(zone, address, reader);
      return reader;
    },
    clear,
  };
}
