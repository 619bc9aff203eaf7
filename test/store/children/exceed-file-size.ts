import { writeSync } from 'node:fs';
import { openStore, StoreError } from '../../../src/store/index.ts';
import { commitNumber } from './numbered-commits.ts';

/**
 * Runs under a limit on the size of files, which is a disk that refuses to write: three commits that
 * fit, one that does not, three that fit. Prints the number of each, or the codes of the refusal.
 */
const [path, keyFile] = process.argv.slice(2);
const store = await openStore({ path, keyFile });
for (const number of [1, 2, 3, 4, 4, 5, 6]) {
  const commit = commitNumber(number);
  const isTooLarge = number === 4 && !process.exitCode;
  const bytes = new Uint8Array(8_000_000);
  try {
    await store.commit(isTooLarge ? { ...commit, owners: { ...commit.owners!, bytes } } : commit);
    writeSync(1, `${number}\n`);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    writeSync(1, `${error.code} ${error.sqliteCode}\n`);
    process.exitCode = 3;
  }
}
await store.close();
writeSync(1, 'closed\n');
