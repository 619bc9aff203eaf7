import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Daemons live in folders that a user's PATH often lacks. */
const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin'];

/**
 * Whether all the programs are installed, for `describe.skipIf(!requirePeer('named', 'dig'))`.
 * Under SLUICE_REQUIRE_PEERS=1, as in CI, a missing one is an error: nothing is skipped unseen.
 */
export function requirePeer(...programs: string[]): boolean {
  const missing = programs.filter((program) => findProgram(program) === null);
  if (missing.length > 0 && process.env.SLUICE_REQUIRE_PEERS === '1') {
    throw new Error(`SLUICE_REQUIRE_PEERS=1, but not installed: ${missing.join(', ')}`);
  }
  return missing.length === 0;
}

export function findProgram(program: string): string | null {
  for (const folder of FOLDERS) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
