/** The part of a logger that the server needs; pino fits. */
export interface ServerLog {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Logs faults that a client may be able to bring about as often as it likes. */
export interface Reporter {
  /** Something that should not happen: an exception of the handler, an error of a socket. */
  failure(message: string, error: unknown, details?: object): void;
}

const FAILURES_LOGGED_PER_SECOND = 10;

/** Lets a few failures a second through, and says how many it kept to itself. */
export function createReporter(log: ServerLog): Reporter {
  let second = 0;
  let logged = 0;
  let suppressed = 0;
  return {
    failure(message, error, details = {}) {
      const now = Math.floor(performance.now() / 1000);
      if (now !== second) {
        second = now;
        logged = 0;
      }
      if (logged >= FAILURES_LOGGED_PER_SECOND) {
        suppressed += 1;
        return;
      }
      logged += 1;
      log.error({ ...details, err: error, suppressed }, message);
      suppressed = 0;
    },
  };
}
