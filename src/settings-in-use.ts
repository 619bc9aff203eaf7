import type { Config } from './config/index.ts';
import type { Logging } from './logging.ts';
import { differencesOf } from './when-taken.ts';

/** A part of the server that takes settings while it runs. */
export interface SettingsUser {
  /**
   * Looks at the settings and at the files that they name, and throws when it could not use them.
   * Nothing has changed afterwards.
   */
  check?(config: Config): void;
  /** Takes what it can; does not throw for what `check` let pass. */
  use(config: Config): void;
}

/** The settings of a running server. */
export interface SettingsInUse {
  /** Those of the last reload, or of the start. */
  config(): Config;
  /** From now on the part is told of new settings, after those that were added before. */
  add(user: SettingsUser): void;
  /**
   * Takes new settings: all that can be taken now, or, when a part could not use them, none. Then it
   * throws what the part threw. What needs a restart is named in a warning, each time.
   */
  reload(config: Config): void;
}

export function createSettingsInUse(started: Config, { log }: Logging): SettingsInUse {
  const users: SettingsUser[] = [];
  let config = started;
  return {
    config: () => config,
    add: (user) => users.push(user),
    reload(next) {
      for (const { check } of users) check?.(next);
      const { reload } = differencesOf(config, next);
      for (const { use } of users) use(next);
      config = next;
      // Against the start, so that what a former reload left waiting is named again.
      const waiting = differencesOf(started, next);
      log.warn({ taken: reload }, 'the configuration was read again');
      if (waiting.restart.length > 0) {
        log.warn({ settings: waiting.restart }, 'these settings differ and need a restart');
      }
      if (waiting['new-database'].length > 0) {
        const settings = waiting['new-database'];
        log.warn(
          { settings },
          'these settings count when a database is made, and change nothing now',
        );
      }
    },
  };
}
