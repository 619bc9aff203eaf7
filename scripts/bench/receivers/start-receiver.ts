import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint } from '../client.ts';
import { startProcess, stopProcess } from '../processes.ts';
import type { Receiver } from './receiver.ts';

/** Starts a resolver in the foreground with this configuration; what it says goes to `log` in its folder. */
export function startReceiver(given: {
  readonly program: string;
  /** Those before the name of the configuration file. */
  readonly options: readonly string[];
  readonly configuration: string;
  readonly folder: string;
  readonly own: Endpoint;
}): Receiver {
  const { program, options, configuration, folder, own } = given;
  const file = join(folder, `${program}.conf`);
  writeFileSync(file, configuration);
  const log = openSync(join(folder, 'log'), 'a');
  const startedAt = performance.now();
  const child = startProcess(program, [...options, file], {
    stdio: ['ignore', log, log],
    cwd: folder,
  });
  closeSync(log);
  return { ...own, startedAt, stop: () => stopProcess(child) };
}

/** What stands in the samples of config/ for a resolver that is known by its address. */
export function sampleValues(primary: Endpoint & { readonly zone: string }) {
  return {
    zone: primary.zone.slice(0, -1),
    'primary-address': primary.address,
    'primary-port': String(primary.port),
    'key-name': undefined,
  };
}
