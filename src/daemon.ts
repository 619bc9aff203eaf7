import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { destination, type Logger, pino } from 'pino';
import { ConfigurationError } from './config/problem.ts';
import type { Config } from './config/settings.ts';
import { describeStart } from './describe-start.ts';
import { takeInheritedSockets } from './inherited-sockets.ts';
import { openServiceManager, type ServiceManager } from './service-manager.ts';
import { type Sluice, type SluiceOptions, startSluice } from './sluice.ts';
import { StartError } from './start-error.ts';
import { StoreError } from './store/store-error.ts';

const ZONES_DIRECTORY = fileURLToPath(new URL('../zones', import.meta.url));
const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

const EXIT_FAILED = 1;
/** A second signal cut the stop short: 128 and the number of SIGINT, as shells say it. */
const EXIT_CUT = 130;

/** The process with its log and its signals, until it is stopped. Does not return when the start fails. */
export async function runDaemon(options: {
  readonly config: Config;
  /** Reads the configuration again; throws when it is refused. */
  readonly readConfig: () => Config;
  /** The image of the database, being read. */
  readonly image: NonNullable<SluiceOptions['image']>;
}): Promise<void> {
  const { config, readConfig, image } = options;
  const log = createLog(config);
  const manager = openServiceManager(process.env, log);
  // Without a listener it would end the process, even where the start takes a minute.
  process.on('SIGHUP', ignoreWhileStarting);
  const sluice = await startOrExit({ config, log, image });
  process.off('SIGHUP', ignoreWhileStarting);
  process.on('SIGHUP', () => reload({ sluice, manager, log, readConfig }));
  stopOnSignals({ sluice, manager, log });
  process.stdout.write(describeStart(sluice, config, version));
  const listening = { dns: sluice.dnsAddresses(), tls: sluice.dnsTlsAddresses() };
  log.info({ ...listening, http: sluice.httpAddress() }, 'listening');
  manager.ready(statusOf(sluice));
}

function ignoreWhileStarting(): void {
  // The file has been read a moment ago.
}

function reload(running: {
  readonly sluice: Sluice;
  readonly manager: ServiceManager;
  readonly log: Logger;
  readonly readConfig: () => Config;
}): void {
  const { sluice, manager, log, readConfig } = running;
  manager.reloading();
  try {
    sluice.reload(readConfig());
  } catch (error) {
    const problems = error instanceof ConfigurationError ? error.problems : messageOf(error);
    log.error({ problems }, 'the configuration is refused; the one before stays in use');
  }
  manager.ready(statusOf(sluice));
}

/** The first signal lets transfers finish until the deadline; a second one stops at once. */
function stopOnSignals(running: {
  readonly sluice: Sluice;
  readonly manager: ServiceManager;
  readonly log: Logger;
}): void {
  const { sluice, manager, log } = running;
  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'stopping');
    manager.stopping();
    try {
      await Promise.all([sluice.stop(), manager.told()]);
      process.exit(0);
    } catch (error) {
      log.fatal({ err: error }, 'did not stop cleanly');
      process.exit(EXIT_FAILED);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) {
        log.warn({ signal, exitCode: EXIT_CUT }, 'stopped at once, by a second signal');
        process.exit(EXIT_CUT);
      }
      isStopping = true;
      void stop(signal);
    });
  }
}

async function startOrExit(
  given: Pick<SluiceOptions, 'config' | 'log' | 'image'>,
): Promise<Sluice> {
  try {
    const inherited = takeInheritedSockets(process.env);
    return await startSluice({ ...given, inherited, version, zonesDirectory: ZONES_DIRECTORY });
  } catch (error) {
    if (error instanceof ConfigurationError) {
      process.stderr.write(`${error.message}\n`);
    } else if (isForOperator(error)) {
      process.stderr.write(`sluice cannot start: ${messageOf(error)}\n`);
    } else {
      given.log.fatal({ err: error }, 'sluice cannot start');
    }
    process.exit(EXIT_FAILED);
  }
}

function createLog({ log }: Config): Logger {
  // On standard error, so that what the first start tells a person stays readable.
  if (log.format === 'json') return pino({ level: log.level }, destination(2));
  return pino({
    level: log.level,
    transport: { target: 'pino-pretty', options: { destination: 2, singleLine: true } },
  });
}

/** One line for `systemctl status`. */
function statusOf(sluice: Sluice): string {
  return `serving ${sluice.publisher.state.zones.size} zones`;
}

/** What can be put right from outside is told on one line, without where in the program it showed. */
function isForOperator(error: unknown): boolean {
  const isSystemError = error instanceof Error && 'syscall' in error;
  return error instanceof StartError || error instanceof StoreError || isSystemError;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
