import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Endpoint } from './client.ts';

/** What one run of dnsperf says. */
export interface QueryRate {
  readonly perSecond: number;
  readonly sent: number;
  readonly lost: number;
  /** Answers by RCODE. */
  readonly rcodes: ReadonlyMap<string, number>;
}

const run = promisify(execFile);
/** Beyond its own limit of time, which does not count the waiting for the last answers. */
const MARGIN_MS = 30_000;

/** Asks the questions in a file again and again, with so many outstanding as a busy server has. */
export async function measureQueries(options: {
  readonly server: Endpoint;
  readonly transport: 'udp' | 'tcp';
  /** A line for each: a name and a type. */
  readonly file: string;
  readonly seconds: number;
}): Promise<QueryRate> {
  const { server, transport, file, seconds } = options;
  const { stdout } = await run(
    'dnsperf',
    [
      ['-f', 'inet', '-s', server.address, '-p', String(server.port), '-m', transport],
      ['-d', file, '-l', String(seconds), '-c', '10', '-T', '1', '-q', '200'],
    ].flat(),
    { timeout: seconds * 1000 + MARGIN_MS, killSignal: 'SIGKILL' },
  );
  return readRate(stdout);
}

/** Reads the statistics at the end of dnsperf's output; throws when they are not there. */
export function readRate(output: string): QueryRate {
  const figure = (label: string): number => {
    const text = new RegExp(`${label}:\\s+([0-9.]+)`).exec(output)?.[1];
    if (text === undefined) throw new Error(`dnsperf does not say "${label}": ${output}`);
    return Number(text);
  };
  const codes = /Response codes:(.*)/.exec(output)?.[1] ?? '';
  return {
    perSecond: figure('Queries per second'),
    sent: figure('Queries sent'),
    lost: figure('Queries lost'),
    rcodes: new Map(
      [...codes.matchAll(/([A-Z]+) (\d+)/g)].map(([, name, count]) => [name, Number(count)]),
    ),
  };
}
