import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from './config/load-config.ts';
import type { Config } from './config/settings.ts';
import { databasePath } from './data-directory.ts';
import { imagePath, readImageFile } from './store/image-file.ts';

const EXIT_USAGE = 2;

await main();

/**
 * Reads the settings, and has the largest file of the data directory read while the rest of the program
 * is loaded: of a million rules each takes about as long.
 */
async function main(): Promise<void> {
  const readConfig = configReader();
  const config = readOrExit(readConfig);
  const image = readImageFile(imagePath({ path: databasePath(resolve(config.dataDirectory)) }));
  const { runDaemon } = await import('./daemon.ts');
  await runDaemon({ config, readConfig, image });
}

/** Reads the file that the command line or the environment names, again at each reload. */
function configReader(): () => Config {
  const { values } = parseArgs({ options: { config: { type: 'string' } }, strict: true });
  return () =>
    loadConfig({
      ...(values.config === undefined ? {} : { path: values.config }),
      env: process.env,
    });
}

function readOrExit(readConfig: () => Config): Config {
  try {
    return readConfig();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(EXIT_USAGE);
  }
}
