import type { EditSettings } from './edits/edit.ts';
import { nextEntryExpiry, removeExpiredEntries } from './edits/list-entries.ts';
import type { Publisher } from './publisher.ts';

/** A timer counts the machine's waking time, an expiry is a time of day: so it is looked at every so often. */
const TIMER_MS_MAX = 30_000;
/** After a failure of the store. */
const RETRY_MS = 1_000;

/** Takes expired list entries out of the zones, each change as an ordinary revision. */
export interface ExpiryClock {
  /** Looks again when the next entry expires; call it after every change of the model. */
  reschedule(): void;
  stop(): void;
}

export function startExpiryClock(options: {
  readonly publisher: Publisher;
  readonly settings: EditSettings;
  /** Unix milliseconds. */
  readonly clock: () => number;
  readonly onError: (error: unknown) => void;
}): ExpiryClock {
  const { publisher, settings, clock, onError } = options;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const expire = async (): Promise<void> => {
    try {
      await publisher.change({ actor: 'sluice', action: 'expire list entries' }, (draft) =>
        removeExpiredEntries({ draft, settings, system: true }),
      );
      reschedule();
    } catch (error) {
      onError(error);
      schedule(RETRY_MS);
    }
  };
  const schedule = (delayMs: number): void => {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => void expire(), Math.min(delayMs, TIMER_MS_MAX));
    timer.unref();
  };
  const reschedule = (): void => {
    const next = nextEntryExpiry(publisher.model);
    if (next === null) clearTimeout(timer);
    else schedule(Math.max(0, next - clock()));
  };
  reschedule();
  return {
    reschedule,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
