import type { LoggingPort, LoggingSettings } from '../../src/http/index.ts';

/** Settings of a log that nothing is written to. */
export function createLoggingDouble(): LoggingPort {
  let settings: LoggingSettings = { level: 'info', queries: false, transfers: true };
  return {
    settings: () => settings,
    change: (next) => {
      settings = { ...settings, ...next };
      return settings;
    },
  };
}
