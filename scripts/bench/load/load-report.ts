import { renderTable } from '../report.ts';
import { format, percentile } from '../statistics.ts';
import type { DevicesOutcome } from './devices.ts';
import type { DrainsOutcome } from './drains.ts';

/** What one phase of the load has shown. Times in milliseconds, memory in octets. */
export interface PhaseOutcome {
  readonly title: string;
  readonly seconds: number;
  readonly devicesAsked: number;
  readonly devices: DevicesOutcome;
  readonly drains: DrainsOutcome;
  readonly stalled: { readonly cutOff: number; readonly leftAlone: number } | null;
  readonly updateMs: readonly number[];
  /** Seconds in which none was sent, because the one before was not answered. */
  readonly updatesLate: number;
  /** Processor time over the phase: where it is little, others had the machine. */
  readonly serverSeconds: number;
  readonly clientSeconds: number;
  readonly memory: Memory;
  /** Of the server: growth of its counters over the phase. */
  readonly counters: ReadonlyMap<string, number>;
}

export interface Memory {
  readonly start: number;
  readonly max: number;
  readonly end: number;
  /** When nothing has been asked for a while. */
  readonly rest: number;
}

/** A row for each figure, a column for each phase. */
export function renderLoad(phases: readonly PhaseOutcome[]): string {
  const row = (title: string, cell: (phase: PhaseOutcome) => string) => [
    title,
    ...phases.map(cell),
  ];
  return renderTable([
    row('', ({ title }) => title),
    row(
      'devices on the last serial',
      ({ devices, devicesAsked }) => `${devices.converged} of ${devicesAsked}`,
    ),
    row('updates: number; p50, p99 (ms)', ({ updateMs, updatesLate }) =>
      withLost(times(updateMs), { 'put off': updatesLate }),
    ),
    row('SOA by UDP: number; p50, p99, longest (ms)', ({ devices }) =>
      withLost(times(devices.soaMs, true), { lost: devices.soaLost, refused: devices.refused }),
    ),
    row('IXFR by TCP: number; p50, p99, longest (ms)', ({ devices }) =>
      withLost(times(devices.ixfrMs, true), {
        cut: devices.ixfrCut,
        failed: devices.ixfrFailed,
        'given the zone instead': devices.wholeZones,
      }),
    ),
    row('AXFR, whole: number; p50, p99 (s)', ({ drains }) =>
      withLost(times(drains.axfrMs.map((ms) => ms / 1000)), {
        cut: drains.cut,
        failed: drains.failed,
      }),
    ),
    row('AXFR (MB/s)', ({ drains, seconds }) => format(drains.octets / 1e6 / seconds)),
    row('clients that never read', ({ stalled }) =>
      stalled === null
        ? 'none'
        : `${stalled.cutOff} times cut off, ${stalled.leftAlone} times not cut off`,
    ),
    row(
      'seconds; processor time of the server, of the clients (s)',
      ({ seconds, serverSeconds, clientSeconds }) =>
        `${format(seconds)}; ${format(serverSeconds)}, ${format(clientSeconds)}`,
    ),
    row('memory of the server: start, most, end, at rest (MB)', ({ memory }) =>
      [memory.start, memory.max, memory.end, memory.rest].map(megabytes).join(', '),
    ),
    row('counted by the server: refused, cut, stalled, failed', ({ counters }) =>
      [
        REFUSED.reduce((sum, name) => sum + (counters.get(name) ?? 0), 0),
        ...['transfersCut', 'tcpClosedStalled', 'handlerFailures'].map(
          (name) => counters.get(name) ?? 0,
        ),
      ].join(', '),
    ),
    row('how late the measuring thread was, p99 (ms)', ({ devices }) => format(devices.ownDelayMs)),
  ]);
}

const REFUSED = ['transfersRefused', 'tcpRefusedTotal', 'tcpRefusedPerClient', 'udpBacklogDrops'];

/** Number and percentiles, as `120; 1.20, 3.40`. */
function times(samples: ArrayLike<number>, withLongest = false): string {
  const shares = withLongest ? [0.5, 0.99, 1] : [0.5, 0.99];
  const figures = shares.map((share) => percentile(samples, share));
  const texts = figures.map((figure) => (figure === null ? '–' : format(figure)));
  return `${samples.length}; ${texts.join(', ')}`;
}

/** Adds what went wrong, each with its number, or that nothing did. */
function withLost(text: string, lost: Readonly<Record<string, number>>): string {
  const some = Object.entries(lost).filter(([, count]) => count > 0);
  const wrong = some.map(([what, count]) => `${count} ${what}`).join(', ');
  return `${text}; ${wrong === '' ? 'none lost' : `**${wrong}**`}`;
}

function megabytes(octets: number): string {
  return String(Math.round(octets / 1024 / 1024));
}
