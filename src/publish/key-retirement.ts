import { endKeys } from './edits/keys.ts';
import type { KeyBook } from './key-book.ts';
import { keysToRetire } from './key-succession.ts';
import type { Publisher } from './publisher.ts';

/** When many devices take up new keys at a time, they are looked at together. */
const GATHER_MS = 100;
/** After a failure of the store. */
const RETRY_MS = 1_000;

/**
 * Lets old keys end once the key that a rotation made in their place was seen: by an ordinary
 * change, which only brings their end forward. Removing them then is the expiry clock's.
 */
export interface KeyRetirement {
  /** Looks soon; called when a key was used for the first time. */
  look(): void;
  /** Looks no more; resolves when what was begun is done. */
  stop(): Promise<void>;
}

export function startKeyRetirement(options: {
  readonly publisher: Pick<Publisher, 'model' | 'change'>;
  readonly book: Pick<KeyBook, 'useOf' | 'flush'>;
  /** How long an old key goes on after the new one was seen. */
  readonly retireAfterMs: number;
  /** Unix milliseconds. */
  readonly clock: () => number;
  readonly onError: (error: unknown) => void;
}): KeyRetirement {
  const { publisher, book, retireAfterMs, clock, onError } = options;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> | null = null;
  let isStopped = false;

  const due = ({ keys }: Publisher['model'], now: number) =>
    keysToRetire(keys, (keyId) => book.useOf(keyId) !== undefined, now + retireAfterMs);
  const retire = async (): Promise<void> => {
    if (due(publisher.model, clock()).length === 0) return;
    // First what it follows from, so that after a crash the end of a key is never without its reason.
    await book.flush();
    await publisher.change({ actor: 'sluice', action: 'key.retire' }, (draft) =>
      endKeys({ draft }, due(draft.model, draft.now), draft.now + retireAfterMs),
    );
  };
  const look = (delayMs: number): void => {
    if (isStopped || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      // One after the other: the second finds nothing to do but what came meanwhile.
      running = (running ?? Promise.resolve()).then(retire).catch((error: unknown) => {
        onError(error);
        look(RETRY_MS);
      });
    }, delayMs);
    timer.unref();
  };
  // What was seen right before the last stop.
  look(0);
  return {
    look: () => look(GATHER_MS),
    async stop() {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
      await running;
    },
  };
}
