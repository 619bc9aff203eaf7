import type { ChildLoggerOptions, Level, LevelWithSilent, Logger } from 'pino';
import type { Config } from './config/index.ts';
import type { LoggingPort, LoggingSettings } from './http/index.ts';
import type { SettingsUser } from './settings-in-use.ts';

/** The log of the whole server, and what is written to it at this moment. */
export interface Logging extends LoggingPort, SettingsUser {
  readonly log: Logger;
  /**
   * A log for one room, which follows the level: a child of pino keeps the one that it was made with.
   * `atLeast` leaves out what is less severe, whatever the level is.
   */
  child(room: string, atLeast?: Level): Logger;
}

/** The level is that of `log`, which may be another than that of the settings. */
export function createLogging(log: Logger, { queries, transfers }: Config['log']): Logging {
  let settings: LoggingSettings = { level: log.level as LevelWithSilent, queries, transfers };
  const children: { readonly logger: Logger; readonly atLeast: Level }[] = [];
  const severity = (level: LevelWithSilent): number => log.levels.values[level] ?? Infinity;
  const levelFor = (atLeast: Level): LevelWithSilent =>
    severity(settings.level) > severity(atLeast) ? settings.level : atLeast;
  const useLevel = (): void => {
    log.level = settings.level;
    for (const { logger, atLeast } of children) logger.level = levelFor(atLeast);
  };
  const change: Logging['change'] = (next) => {
    settings = { ...settings, ...next };
    useLevel();
    return settings;
  };
  return {
    log,
    settings: () => settings,
    change,
    use({ log: { level, queries, transfers } }) {
      change({ level, queries, transfers });
    },
    child(room, atLeast = 'trace') {
      const options: ChildLoggerOptions = { level: levelFor(atLeast) };
      const logger = log.child({ room }, options);
      children.push({ logger, atLeast });
      return logger;
    },
  };
}
