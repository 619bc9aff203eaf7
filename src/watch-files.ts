import { statSync } from 'node:fs';

const POLL_MS = 3_000;

/**
 * Calls `changed` when any of the files has become another, whether it was written, replaced or
 * linked anew: from how they are now, so read them after this and no change is missed. They are
 * looked at every few seconds rather than watched by the system, which does not see through the
 * links by which such files are often replaced. Returns how to stop.
 */
export function watchFiles(
  files: readonly string[],
  changed: () => void,
  pollMs = POLL_MS,
): () => void {
  let seen = files.map(stateOf);
  const timer = setInterval(() => {
    const now = files.map(stateOf);
    if (now.every((state, at) => state === seen[at])) return;
    seen = now;
    changed();
  }, pollMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** What differs when a file has been touched in any way. */
function stateOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return 'cannot be looked at';
  }
}
