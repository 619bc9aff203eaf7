import type { Observer, RefusedEvent } from '../nameserver/directory-port.ts';
import type { DeviceId } from '../policy/model.ts';
import type { DeviceIdentities } from './device-identities.ts';

/** What a device was refused, as often as it came the same way. */
export interface Refusal
  extends Pick<RefusedEvent, 'reason' | 'address' | 'tsig' | 'keyName' | 'protocol'> {
  /** Lower case, in presentation form; null when there was no question to read. */
  readonly name: string | null;
  /** Unix milliseconds. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
}

/**
 * Questions that were refused and that a device may have sent. Anyone can bring refusals about, at any
 * pace, so only a few of each device are kept, and those of nobody are counted alone: a flood from
 * elsewhere takes no room from them. Nothing of it outlives the process.
 */
export interface RefusalBook extends Pick<Observer, 'refused'> {
  /** The newest first. */
  ofDevice(deviceId: number): readonly Refusal[];
  statistics(): RefusalStatistics;
}

export interface RefusalStatistics {
  /** Put down to a device. */
  readonly attributed: number;
  readonly unattributed: number;
  /** Forgotten, because others of the same device, or of too many devices, came after them. */
  readonly forgotten: number;
}

/** Of one device; the ones that came last longest ago go. */
const PER_DEVICE_MAX = 8;
/** Devices that something was refused to; those for which that is longest ago go. */
const DEVICES_MAX = 10_000;

type Entry = { -readonly [Field in keyof Refusal]: Refusal[Field] };

export function createRefusalBook(options: {
  /** As it is now: made anew when devices, keys or addresses of hosts change. */
  readonly identities: () => DeviceIdentities;
  /** Unix milliseconds. */
  readonly clock: () => number;
  readonly devicesMax?: number;
}): RefusalBook {
  const { identities, clock, devicesMax = DEVICES_MAX } = options;
  /** The device refused something longest ago comes first; of a device, the oldest entry. */
  const byDevice = new Map<number, Entry[]>();
  const counts = { attributed: 0, unattributed: 0, forgotten: 0 };

  const note = (deviceId: DeviceId, event: RefusedEvent): void => {
    const entries = byDevice.get(deviceId) ?? [];
    byDevice.delete(deviceId);
    byDevice.set(deviceId, entries);
    const at = clock();
    const name = event.name?.toLowerCase() ?? null;
    const place = entries.findIndex((entry) => isSame(entry, event, name));
    if (place >= 0) {
      const [entry] = entries.splice(place, 1);
      entry.lastAt = at;
      entry.count += 1;
      entries.push(entry);
      return;
    }
    const { reason, address, tsig, keyName, protocol } = event;
    const times = { firstAt: at, lastAt: at, count: 1 };
    entries.push({ reason, name, address, tsig, keyName, protocol, ...times });
    if (entries.length > PER_DEVICE_MAX) {
      entries.shift();
      counts.forgotten += 1;
    }
    if (byDevice.size > devicesMax) {
      const [oldest, gone] = byDevice.entries().next().value!;
      byDevice.delete(oldest);
      counts.forgotten += gone.length;
    }
  };

  return {
    refused(event) {
      const devices = identities().find(event);
      if (devices.length === 0) counts.unattributed += 1;
      else counts.attributed += 1;
      for (const deviceId of devices) note(deviceId, event);
    },
    ofDevice: (deviceId) => byDevice.get(deviceId)?.toReversed() ?? [],
    statistics: () => ({ ...counts }),
  };
}

function isSame(entry: Entry, event: RefusedEvent, name: string | null): boolean {
  return (
    entry.reason === event.reason &&
    entry.name === name &&
    entry.address === event.address &&
    entry.tsig?.error === event.tsig?.error &&
    entry.tsig?.keyName === event.tsig?.keyName
  );
}
