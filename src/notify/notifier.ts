import { randomInt } from 'node:crypto';
import { createDelivery } from './delivery.ts';
import { createExchanges } from './exchanges.ts';
import {
  DEFAULT_LIMITS,
  type NotifierLimits,
  type NotifierOptions,
  type NotifierStatistics,
} from './options.ts';
import { startOutboxDrain } from './outbox-drain.ts';
import { createOutcomeWriter } from './outcome-writer.ts';
import { createPacer } from './pacer.ts';

export interface Notifier {
  /** Something may be owed; called after each commit, when its snapshots are served. */
  wake(): void;
  /** Sends nothing more. What is owed stays in the outbox. */
  stop(): Promise<void>;
  /** From the next message on; what is not given stays. */
  useLimits(limits: Partial<NotifierLimits>): void;
  statistics(): NotifierStatistics;
}

/** Sends what the outbox owes, from now on and until it is acknowledged. */
export function startNotifier(given: NotifierOptions): Notifier {
  const options: NotifierOptions & NotifierLimits = { ...DEFAULT_LIMITS, ...given };
  const now = given.now ?? Date.now;
  const exchanges = createExchanges({
    ...options,
    answerTimeoutMs: () => options.answerTimeoutMs,
    now,
    randomId: given.randomId ?? (() => randomInt(0x10000)),
    onSocketError: (error) => given.log.error({ err: error }, 'a NOTIFY socket failed'),
  });
  const counters = {
    sent: 0,
    acknowledged: 0,
    notImplemented: 0,
    notServedThere: 0,
    refused: 0,
    timeouts: 0,
    unsendable: 0,
    strays: 0,
    inFlight: 0,
  };
  const random = given.random ?? Math.random;
  const pacer = createPacer(
    () => options.perSecondMax,
    () => performance.now(),
  );
  const outcomes = createOutcomeWriter(given.store);
  const delivery = createDelivery({ options, exchanges, pacer, outcomes, counters, now, random });
  const drain = startOutboxDrain({ options, now, delivery, pacer, outcomes });
  let stopped: Promise<unknown> | null = null;
  return {
    wake: drain.wake,
    async stop() {
      stopped ??= Promise.all([drain.stop(), exchanges.close()]);
      await stopped;
    },
    useLimits(limits) {
      Object.assign(options, limits);
      drain.wake();
    },
    statistics: () => ({ ...counters, strays: exchanges.strays(), inFlight: drain.inFlight() }),
  };
}
