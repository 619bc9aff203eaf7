import type { Model } from '../policy/model.ts';
import { advanceHandovers, nextHandover } from './edits/catalog-handover.ts';
import type { Edit, EditSettings } from './edits/edit.ts';
import { nextEntitlementExpiry, removeExpiredEntitlements } from './edits/entitlements.ts';
import { nextHeldExpiry, removeExpiredHeldChanges } from './edits/held-changes.ts';
import { nextKeyExpiry, removeExpiredKeys } from './edits/keys.ts';
import { nextEntryExpiry, removeExpiredEntries } from './edits/list-entries.ts';
import { nextNameExpiry, removeExpiredNames } from './edits/policies.ts';
import { nextSessionExpiry, removeExpiredSessions } from './edits/sessions.ts';
import type { Publisher } from './publisher.ts';

/** A timer counts the machine's waking time, an expiry is a time of day: so it is looked at every so often. */
const TIMER_MS_MAX = 30_000;
/** After a failure of the store. */
const RETRY_MS = 1_000;

/** Something that ends, or goes on, by itself. */
interface Ending {
  /** For the audit trail. */
  readonly action: string;
  /** When the next of its kind ends (Unix milliseconds); null when none does. */
  readonly next: (model: Model) => number | null;
  /** Removes all of its kind that have ended by the time of the draft. */
  readonly remove: (edit: Omit<Edit, 'accountId'>) => unknown;
}

/** Everything that ends by itself. Each kind is a change of its own, so that the audit trail reads well. */
const ENDINGS: readonly Ending[] = [
  { action: 'list.entries.expire', next: nextEntryExpiry, remove: removeExpiredEntries },
  { action: 'entitlement.expire', next: nextEntitlementExpiry, remove: removeExpiredEntitlements },
  { action: 'policy.former-name.expire', next: nextNameExpiry, remove: removeExpiredNames },
  { action: 'account.catalogs.advance', next: nextHandover, remove: advanceHandovers },
  { action: 'key.expire', next: nextKeyExpiry, remove: removeExpiredKeys },
  { action: 'session.expire', next: nextSessionExpiry, remove: removeExpiredSessions },
  { action: 'change.expire', next: nextHeldExpiry, remove: removeExpiredHeldChanges },
];

/** Removes what has ended, each kind as an ordinary change, which makes revisions where zones change. */
export interface ExpiryClock {
  /** Looks again when the next thing ends; call it after every change of the model. */
  reschedule(): void;
  stop(): void;
}

export function startExpiryClock(options: {
  readonly publisher: Pick<Publisher, 'model' | 'change'>;
  readonly settings: EditSettings;
  /** Unix milliseconds. */
  readonly clock: () => number;
  readonly onError: (error: unknown) => void;
}): ExpiryClock {
  const { publisher, settings, clock, onError } = options;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isRunning = false;

  const expireAll = async (): Promise<void> => {
    isRunning = true;
    let hasFailed = false;
    for (const ending of ENDINGS) {
      const next = ending.next(publisher.model);
      if (isStopped || next === null || next > clock()) continue;
      try {
        await publisher.change({ actor: 'sluice', action: ending.action }, (draft) =>
          ending.remove({ draft, settings, system: true }),
        );
      } catch (error) {
        hasFailed = true;
        onError(error);
      }
    }
    isRunning = false;
    if (hasFailed) schedule(RETRY_MS);
    else reschedule();
  };
  const schedule = (delayMs: number): void => {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => void expireAll(), Math.min(delayMs, TIMER_MS_MAX));
    timer.unref();
  };
  const reschedule = (): void => {
    // Its own changes call this too; it looks again when it is through.
    if (isRunning) return;
    const next = nextEnding(publisher.model);
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

function nextEnding(model: Model): number | null {
  const times = ENDINGS.flatMap(({ next }) => next(model) ?? []);
  return times.length === 0 ? null : Math.min(...times);
}
