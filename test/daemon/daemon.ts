import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';
import { freePorts } from '../support/child-sluice.ts';
import type { Endpoint } from '../support/dns-clients.ts';
import { type ApiCaller, apiCaller } from '../support/http-caller.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';

/** A record of the log, as the server wrote it. */
export interface LogRecord {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The server as the operating system sees it: a process with its signals, its log and its end. */
export interface Daemon {
  readonly pid: number;
  readonly directory: string;
  readonly configFile: string;
  readonly dns: Endpoint;
  readonly http: Endpoint;
  /** The admin's, after the first start over a directory. */
  readonly api: ApiCaller;
  /** Resolves when it answers; rejects with what it said when it ended instead. */
  readonly started: Promise<void>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Everything that it has written to standard output and standard error so far. */
  output(): string;
  records(): readonly LogRecord[];
  /** Resolves with the first record of this text, whether it was written already or comes yet. */
  record(msg: string, at?: number): Promise<LogRecord>;
  signal(name: 'SIGHUP' | 'SIGTERM' | 'SIGINT'): void;
  /** Writes the configuration file anew; nobody reads it by itself. */
  configure(yaml: string): void;
}

export interface DaemonOptions {
  /** Settings beside where to listen and where the data are, as the file has them. */
  readonly yaml?: string;
  /** Leaves out the lines for `dns.listen` and `http.listen`, which `yaml` then has. */
  readonly listens?: boolean;
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A program in front of it, which becomes the server or starts it. */
  readonly through?: readonly string[];
  readonly ports?: { readonly dns: number; readonly http: number };
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const ADDRESS = '127.0.0.1';
/** A start is two seconds of work, of which a busy machine gives a part. */
const PATIENCE_MS = 60_000;
const TEST_MS = 150_000;
vi.setConfig({ testTimeout: TEST_MS });

const POLL_MS = 10;

/** Starts `src/main.ts` as `npm start` does. It is killed when the test is over. */
export async function startDaemon(options: DaemonOptions = {}): Promise<Daemon> {
  const directory = options.directory ?? temporaryDirectory();
  const ports = options.ports ?? (await freePorts());
  const configFile = join(directory, 'sluice.yaml');
  const configure = (yaml: string): void => writeFileSync(configFile, configText(yaml));
  const configText = (yaml: string): string =>
    [
      'sampleCatalogue: false',
      `dataDirectory: ${join(directory, 'data')}`,
      `http: {listen: {address: ${ADDRESS}, port: ${ports.http}}}`,
      ...(options.listens === false
        ? []
        : ['dns:', `  listen: [{address: ${ADDRESS}, port: ${ports.dns}}]`]),
      yaml,
    ].join('\n');
  configure(options.yaml ?? '');
  const [program = '', ...args] = [...(options.through ?? []), process.execPath, MAIN];
  const child = spawn(program, args, {
    env: { ...process.env, SLUICE_CONFIG: configFile, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const written = { out: '', err: '' };
  collect(child, written);
  const records = (): LogRecord[] =>
    written.err
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogRecord);
  let hasEnded = false;
  void exited.then(() => {
    hasEnded = true;
  });
  const until = async <Found>(what: string, find: () => Found | undefined): Promise<Found> => {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (hasEnded) throw new Error(`it ended without ${what}: ${written.err}${written.out}`);
      if (performance.now() > deadline) throw new Error(`no ${what}: ${written.err}`);
      await wait(POLL_MS);
    }
  };
  // What a start tells ends in an empty line.
  const started = until('a start', () => written.out.endsWith('\n\n') || undefined).then(
    () => undefined,
  );
  // Who waits for the end instead is told of that.
  started.catch(() => undefined);
  const http = { address: ADDRESS, port: ports.http };
  return {
    pid: child.pid!,
    directory,
    configFile,
    dns: { address: ADDRESS, port: ports.dns },
    http,
    get api() {
      const token = /^ +(sluice_\S+)$/m.exec(written.out)?.[1];
      if (token === undefined) throw new Error('it told no token');
      return apiCaller(http, token);
    },
    started,
    exited,
    output: () => written.out + written.err,
    records,
    record: (msg, at = 0) =>
      until(`record "${msg}"`, () => records().filter((found) => found.msg === msg)[at]),
    signal: (name) => child.kill(name),
    configure,
  };
}

function collect(child: ChildProcess, written: { out: string; err: string }): void {
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    written.out += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    written.err += text;
  });
}
