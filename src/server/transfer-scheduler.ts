import { type Answer, TRANSFER_PIECE_OCTETS } from '../nameserver/handler-port.ts';
import type { Reporter } from './reporter.ts';
import type { Counters } from './statistics.ts';

export type StreamAnswer = Extract<Answer, { kind: 'stream' }>;

/** A transfer as its connection sees it. */
export interface TransferJob {
  readonly client: string;
  readonly stream: StreamAnswer;
  /** Hands a piece to the network and calls `taken` when the network has it: `piece` is then free. */
  write(piece: Uint8Array, taken: () => void): void;
  /** Nothing more comes. When not `completed`, the client has an unfinished transfer. */
  over(completed: boolean): void;
}

export interface TransferHandle {
  /** The connection is gone: nothing of the transfer is used any more. Does not call `over`. */
  cancel(): void;
}

/** Gives places, buffers and turns to the transfers of all connections. */
export interface TransferScheduler {
  /** Null when as many wait already as may; the stream is then ended. */
  submit(job: TransferJob): TransferHandle | null;
}

export interface TransferLimits {
  readonly transfersMax: number;
  readonly transfersPerClientMax: number;
  readonly transfersWaitingMax: number;
}

interface Transfer {
  readonly job: TransferJob;
  /** Null until it runs, and again when it is over. */
  piece: Uint8Array | null;
  startedAt: number | null;
  octets: number;
  over: boolean;
}

interface Scheduling {
  readonly limits: TransferLimits;
  readonly counters: Counters;
  readonly reporter: Reporter;
  readonly waiting: Transfer[];
  readonly runningPerClient: Map<string, number>;
  /** Running transfers whose turn it is: those that have sent nothing yet, and the others. */
  readonly fresh: Transfer[];
  readonly ready: Transfer[];
  readonly sparePieces: Uint8Array[];
  turnPlanned: boolean;
}

/** Filling goes on for so long before queries get their turn; one piece is always filled. */
const TURN_MS = 2;
const SPARE_PIECES_MAX = 8;

export function createTransferScheduler(
  limits: TransferLimits,
  counters: Counters,
  reporter: Reporter,
): TransferScheduler {
  const scheduling: Scheduling = {
    limits,
    counters,
    reporter,
    waiting: [],
    runningPerClient: new Map(),
    fresh: [],
    ready: [],
    sparePieces: [],
    turnPlanned: false,
  };
  return {
    submit(job) {
      const transfer: Transfer = { job, piece: null, startedAt: null, octets: 0, over: false };
      if (hasPlace(scheduling, job.client)) {
        run(scheduling, transfer);
      } else if (scheduling.waiting.length < limits.transfersWaitingMax) {
        scheduling.waiting.push(transfer);
        counters.transfersWaiting = scheduling.waiting.length;
      } else {
        counters.transfersRefused += 1;
        transfer.over = true;
        endStream(job.stream, { completed: false, octets: 0, durationMs: 0 }, reporter);
        return null;
      }
      return { cancel: () => conclude(scheduling, transfer, false) };
    },
  };
}

/** Tells a stream that it is over. What it throws then is logged and goes no further. */
export function endStream(
  stream: StreamAnswer,
  outcome: Parameters<StreamAnswer['ended']>[0],
  reporter: Reporter,
): void {
  try {
    stream.ended(outcome);
  } catch (error) {
    reporter.failure('a transfer failed in its end', error);
  }
}

function hasPlace({ limits, counters, runningPerClient }: Scheduling, client: string): boolean {
  return (
    counters.transfersRunning < limits.transfersMax &&
    (runningPerClient.get(client) ?? 0) < limits.transfersPerClientMax
  );
}

function run(scheduling: Scheduling, transfer: Transfer): void {
  const { client } = transfer.job;
  scheduling.counters.transfersRunning += 1;
  scheduling.runningPerClient.set(client, (scheduling.runningPerClient.get(client) ?? 0) + 1);
  transfer.piece = scheduling.sparePieces.pop() ?? new Uint8Array(TRANSFER_PIECE_OCTETS);
  scheduling.fresh.push(transfer);
  planTurn(scheduling);
}

/** Immediates run after the sockets were looked at, so answers go out between turns. */
function planTurn(scheduling: Scheduling): void {
  if (scheduling.turnPlanned) return;
  scheduling.turnPlanned = true;
  setImmediate(() => takeTurn(scheduling));
}

/**
 * Pieces of different transfers in turn. What has not sent anything goes first, so that the IXFR
 * of one piece does not wait for a round of all the AXFRs.
 */
function takeTurn(scheduling: Scheduling): void {
  scheduling.turnPlanned = false;
  const started = performance.now();
  do {
    const transfer = scheduling.fresh.shift() ?? scheduling.ready.shift();
    if (transfer === undefined) return;
    sendPiece(scheduling, transfer);
  } while (performance.now() - started < TURN_MS);
  if (scheduling.fresh.length + scheduling.ready.length > 0) planTurn(scheduling);
}

function sendPiece(scheduling: Scheduling, transfer: Transfer): void {
  const { job, piece } = transfer;
  if (piece === null) return;
  transfer.startedAt ??= performance.now();
  const octets = fillPiece(scheduling, job.stream, piece);
  if (octets === null || octets === 0) {
    conclude(scheduling, transfer, octets === 0);
    job.over(octets === 0);
    return;
  }
  job.write(piece.subarray(0, octets), () => {
    if (transfer.over) return;
    transfer.octets += octets;
    scheduling.counters.transferOctets += octets;
    scheduling.ready.push(transfer);
    planTurn(scheduling);
  });
}

/** Octets filled, or null when the stream failed. */
function fillPiece(scheduling: Scheduling, stream: StreamAnswer, piece: Uint8Array): number | null {
  try {
    const octets = stream.fill(piece);
    if (Number.isInteger(octets) && octets >= 0 && octets <= piece.length) return octets;
    throw new Error(`fill() returned ${octets} for a buffer of ${piece.length} octets`);
  } catch (error) {
    scheduling.counters.handlerFailures += 1;
    scheduling.reporter.failure('a transfer failed and was cut', error);
    return null;
  }
}

/** Takes the transfer out of wherever it is, tells its stream, and lets the next one in. */
function conclude(scheduling: Scheduling, transfer: Transfer, completed: boolean): void {
  if (transfer.over) return;
  transfer.over = true;
  const { counters } = scheduling;
  if (completed) counters.transfersCompleted += 1;
  else counters.transfersCut += 1;
  if (transfer.piece === null) {
    remove(scheduling.waiting, transfer);
    counters.transfersWaiting = scheduling.waiting.length;
  } else {
    leavePlace(scheduling, transfer, transfer.piece);
  }
  const durationMs = transfer.startedAt === null ? 0 : performance.now() - transfer.startedAt;
  const outcome = { completed, octets: transfer.octets, durationMs };
  endStream(transfer.job.stream, outcome, scheduling.reporter);
  admitWaiting(scheduling);
}

function leavePlace(scheduling: Scheduling, transfer: Transfer, piece: Uint8Array): void {
  const { client } = transfer.job;
  transfer.piece = null;
  remove(scheduling.fresh, transfer);
  remove(scheduling.ready, transfer);
  // When the transfer was cancelled its socket is closed, so nothing is sent from the piece.
  if (scheduling.sparePieces.length < SPARE_PIECES_MAX) scheduling.sparePieces.push(piece);
  scheduling.counters.transfersRunning -= 1;
  const running = (scheduling.runningPerClient.get(client) ?? 1) - 1;
  if (running === 0) scheduling.runningPerClient.delete(client);
  else scheduling.runningPerClient.set(client, running);
}

/** In the order of arrival, past those whose client has all its places already. */
function admitWaiting(scheduling: Scheduling): void {
  const { waiting, counters } = scheduling;
  for (let i = 0; i < waiting.length; ) {
    if (counters.transfersRunning >= scheduling.limits.transfersMax) break;
    if (hasPlace(scheduling, waiting[i].job.client)) run(scheduling, waiting.splice(i, 1)[0]);
    else i += 1;
  }
  counters.transfersWaiting = waiting.length;
}

function remove(list: Transfer[], transfer: Transfer): void {
  const at = list.indexOf(transfer);
  if (at !== -1) list.splice(at, 1);
}
