/**
 * Runs work that makes an error of every bad line, whose traces nobody reads: they cost ten times
 * what a line does. (csv-parse makes one for each record with fewer fields than the first.)
 */
export function withoutStackTraces<T>(work: () => T): T {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = before;
  }
}
