import { writeSync } from 'node:fs';
import { openStore } from '../../../src/store/index.ts';

/** Opens the store and keeps it open until it is killed; prints `open` or the code of the refusal. */
const [path, keyFile] = process.argv.slice(2);
try {
  await openStore({ path, keyFile, lockWaitMs: 100 });
  writeSync(1, 'open\n');
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : error;
  writeSync(1, `${code}\n`);
}
