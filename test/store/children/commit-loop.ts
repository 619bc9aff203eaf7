import { writeSync } from 'node:fs';
import { openStore } from '../../../src/store/index.ts';
import { commitNumber, numberOf } from './numbered-commits.ts';

/**
 * Commits without end, each commit told from its number, and prints the number when the commit was
 * acknowledged; before that `start` and `open`. Its parent kills it. Arguments: database, key file.
 */
const [path, keyFile] = process.argv.slice(2);
writeSync(1, 'start\n');
const store = await openStore({ path, keyFile });
const done = numberOf(await store.load());
writeSync(1, 'open\n');
for (let number = done + 1; ; number++) {
  await store.commit(commitNumber(number));
  writeSync(1, `${number}\n`);
}
