/** What has been started, each with how it is stopped. */
export interface StopOrder {
  /** Says that something has started: it will be stopped before all that was added earlier. */
  started(stop: () => Promise<void> | void): void;
  /**
   * Stops everything, the last started first, and goes on when one of them fails: rejects at the end
   * with the first failure. The second call waits for the first.
   */
  stop(): Promise<void>;
}

export function createStopOrder(): StopOrder {
  const stops: (() => Promise<void> | void)[] = [];
  let stopping: Promise<void> | null = null;
  const stopAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const stop of stops.toReversed()) {
      try {
        await stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  return {
    started: (stop) => stops.push(stop),
    stop: () => (stopping ??= stopAll()),
  };
}
