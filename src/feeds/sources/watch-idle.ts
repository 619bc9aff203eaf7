/** Ends a wait in which nothing comes. */
export interface IdleWatch {
  /** Something came. */
  touch(): void;
  stop(): void;
}

/**
 * Calls `onIdle` when nothing came for `ms`. The thread may have been busy with another feed for
 * longer than that, with octets waiting in the socket: they are read before the verdict.
 */
export function watchIdle(ms: number, onIdle: () => void): IdleWatch {
  let isIdle = false;
  let verdict: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    isIdle = true;
    // The event loop reads from sockets between timers and immediates.
    verdict = setImmediate(() => {
      if (isIdle) onIdle();
    });
  }, ms);
  return {
    touch() {
      isIdle = false;
      timer.refresh();
    },
    stop() {
      clearTimeout(timer);
      clearImmediate(verdict);
    },
  };
}
