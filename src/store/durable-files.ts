import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a folder and those above it, for their owner alone, unless it is there. */
export function makeFolder(folder: string): void {
  const firstMade = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (firstMade !== undefined) syncFolder(dirname(firstMade));
}

/** A new file's name is safe only when its folder has been flushed too. */
export function syncFolder(folder: string): void {
  // Windows neither needs nor can do this.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Writes and flushes a file for its owner alone. Fails when it exists. */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  const handle = openSync(path, 'wx', 0o600);
  try {
    writeSync(handle, bytes);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
