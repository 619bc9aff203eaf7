import type { Logger } from 'pino';
import type { DeviceId } from './policy/index.ts';
import { isSecondary } from './policy/secondary.ts';
import {
  type DeviceStatusBook,
  openDeviceStatusBook,
  type RunningPublisher,
} from './publish/index.ts';
import type { Store } from './publish/store-port.ts';

/** What is known of devices and their zones, written to the store now and then. */
export interface RunningStatus {
  readonly book: DeviceStatusBook;
  /** Writes what is not written yet, and nothing after it. */
  stop(): Promise<void>;
}

const FLUSH_MS = 2_000;

export async function startStatus(options: {
  readonly store: Store;
  readonly publisher: RunningPublisher;
  readonly clock: () => number;
  readonly log: Logger;
}): Promise<RunningStatus> {
  const { store, publisher, clock, log } = options;
  const book = await openDeviceStatusBook(store, clock, {
    hasDevice: (id) => publisher.model.devices.has(id as DeviceId),
    hasZone: (origin) => publisher.state.zones.has(origin),
    followsAll(id) {
      const device = publisher.model.devices.get(id as DeviceId);
      return device !== undefined && isSecondary(device);
    },
  });
  const report = (error: unknown) =>
    log.error({ err: error }, 'the device status could not be stored');
  const flusher = setInterval(() => void book.flush().catch(report), FLUSH_MS);
  return {
    book,
    async stop() {
      clearInterval(flusher);
      await book.flush();
    },
  };
}
