import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

/** The database of a data directory. */
export function databasePath(directory: string): string {
  return join(directory, DATABASE);
}

const DATABASE = 'sluice.sqlite';
/** What the store keeps there; the database brings two files of its own, and the image is beside it. */
const FILES = [DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`, `${DATABASE}.image`, 'secret.key'];

/**
 * Makes the directory if it is missing, for its owner alone, and finds out before anything is opened
 * whether this user can write it and what is in it. Throws StartError.
 */
export function checkDataDirectory(directory: string): void {
  const who = `user ${process.getuid?.() ?? 'of this process'}`;
  const refuse = (path: string, error: unknown): never => {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    const rule = `${who} must be able to read and write ${path} (${why}); give it to that user, for example with: chown -R USER ${directory}`;
    throw new StartError('dataDirectory', directory, rule);
  };
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    refuse(directory, error);
  }
  for (const path of FILES.map((file) => join(directory, file))) {
    if (!existsSync(path)) continue;
    try {
      // The key may be for reading alone.
      accessSync(path, path.endsWith('.key') ? constants.R_OK : constants.R_OK | constants.W_OK);
    } catch (error) {
      refuse(path, error);
    }
  }
}
