import { type Answer, TRANSFER_PIECE_OCTETS } from '../nameserver/handler-port.ts';
import type { DnsServerLimits } from './options.ts';
import type { Reporter } from './reporter.ts';
import type { Counters } from './statistics.ts';
import { createTransferPlaces, type PlaceSeeker, type TransferPlaces } from './transfer-places.ts';

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

/**
 * Gives places, buffers and turns to the transfers of all connections. Short ones have places of
 * their own and the first turn, so that a small IXFR waits for nobody's AXFR.
 */
export interface TransferScheduler {
  /** Null when as many wait already as may; the stream is then ended. */
  submit(job: TransferJob): TransferHandle | null;
  /** Admits who may run by limits that have changed. */
  limitsChanged(): void;
}

export type TransferLimits = Pick<
  DnsServerLimits,
  | 'transfersMax'
  | 'transfersPerClientMax'
  | 'transfersPerKeyMax'
  | 'transfersShortMax'
  | 'transfersWaitingMax'
>;

interface Transfer extends PlaceSeeker {
  readonly job: TransferJob;
  readonly places: TransferPlaces<Transfer>;
  /** Null until it runs, and again when it is over. */
  piece: Uint8Array | null;
  pieces: number;
  startedAt: number | null;
  octets: number;
  over: boolean;
}

interface Scheduling {
  readonly counters: Counters;
  readonly reporter: Reporter;
  readonly long: TransferPlaces<Transfer>;
  readonly short: TransferPlaces<Transfer>;
  /** Running transfers whose turn it is: short ones, long ones that have sent nothing, all others. */
  readonly brief: Transfer[];
  readonly fresh: Transfer[];
  readonly ready: Transfer[];
  readonly sparePieces: Uint8Array[];
  turnPlanned: boolean;
}

/** Filling goes on for so long before queries get their turn; one piece is always filled. */
const TURN_MS = 2;
const SPARE_PIECES_MAX = 8;
/** A transfer that was expected to be short and has sent so many pieces takes turns as long ones do. */
const SHORT_PIECES_MAX = 4;

export function createTransferScheduler(
  limits: TransferLimits,
  counters: Counters,
  reporter: Reporter,
): TransferScheduler {
  const placesOf = (placesMax: () => number): TransferPlaces<Transfer> =>
    createTransferPlaces(() => ({
      placesMax: placesMax(),
      perClientMax: limits.transfersPerClientMax,
      perKeyMax: limits.transfersPerKeyMax,
      waitingMax: limits.transfersWaitingMax,
    }));
  const scheduling: Scheduling = {
    counters,
    reporter,
    long: placesOf(() => limits.transfersMax),
    short: placesOf(() => limits.transfersShortMax),
    brief: [],
    fresh: [],
    ready: [],
    sparePieces: [],
    turnPlanned: false,
  };
  return {
    submit(job) {
      const transfer: Transfer = {
        job,
        client: job.client,
        key: job.stream.key,
        places: job.stream.isShort ? scheduling.short : scheduling.long,
        piece: null,
        pieces: 0,
        startedAt: null,
        octets: 0,
        over: false,
      };
      const answer = transfer.places.ask(transfer);
      if (answer === 'full') {
        counters.transfersRefused += 1;
        transfer.over = true;
        endStream(job.stream, { completed: false, octets: 0, durationMs: 0 }, reporter);
        return null;
      }
      if (answer === 'taken') run(scheduling, transfer);
      countPlaces(scheduling);
      return { cancel: () => conclude(scheduling, transfer, false) };
    },
    limitsChanged: () => admitWaiting(scheduling),
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

function countPlaces({ counters, long, short }: Scheduling): void {
  counters.transfersRunning = long.taken() + short.taken();
  counters.transfersWaiting = long.waiting() + short.waiting();
  counters.transfersShortRunning = short.taken();
  counters.transfersShortWaiting = short.waiting();
}

function run(scheduling: Scheduling, transfer: Transfer): void {
  transfer.piece = scheduling.sparePieces.pop() ?? new Uint8Array(TRANSFER_PIECE_OCTETS);
  joinTurns(scheduling, transfer);
}

function joinTurns(scheduling: Scheduling, transfer: Transfer): void {
  const { brief, fresh, ready } = scheduling;
  if (isBrief(transfer)) brief.push(transfer);
  else if (transfer.pieces === 0) fresh.push(transfer);
  else ready.push(transfer);
  planTurn(scheduling);
}

function isBrief({ job, pieces }: Transfer): boolean {
  return job.stream.isShort && pieces < SHORT_PIECES_MAX;
}

/** Immediates run after the sockets were looked at, so answers go out between turns. */
function planTurn(scheduling: Scheduling): void {
  if (scheduling.turnPlanned) return;
  scheduling.turnPlanned = true;
  setImmediate(() => takeTurn(scheduling));
}

/**
 * Pieces of different transfers in turn, short ones first. Of the long ones, what has not sent
 * anything goes first, so that a transfer of one piece does not wait for a round of all the others.
 */
function takeTurn(scheduling: Scheduling): void {
  scheduling.turnPlanned = false;
  const { brief, fresh, ready } = scheduling;
  const started = performance.now();
  let isLongServed = false;
  do {
    const transfer = brief.shift() ?? fresh.shift() ?? ready.shift();
    if (transfer === undefined) return;
    isLongServed ||= !isBrief(transfer);
    sendPiece(scheduling, transfer);
  } while (performance.now() - started < TURN_MS);
  // However many short ones come one after the other, long ones move on by a piece in each turn.
  const long = isLongServed ? undefined : (fresh.shift() ?? ready.shift());
  if (long !== undefined) sendPiece(scheduling, long);
  if (brief.length + fresh.length + ready.length > 0) planTurn(scheduling);
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
  transfer.pieces += 1;
  if (job.stream.isShort && transfer.pieces === SHORT_PIECES_MAX + 1) {
    scheduling.counters.transfersOutgrown += 1;
  }
  job.write(piece.subarray(0, octets), () => {
    if (transfer.over) return;
    transfer.octets += octets;
    scheduling.counters.transferOctets += octets;
    joinTurns(scheduling, transfer);
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
  if (transfer.piece === null) transfer.places.withdraw(transfer);
  else leavePlace(scheduling, transfer, transfer.piece);
  const durationMs = transfer.startedAt === null ? 0 : performance.now() - transfer.startedAt;
  const outcome = { completed, octets: transfer.octets, durationMs };
  endStream(transfer.job.stream, outcome, scheduling.reporter);
  admitWaiting(scheduling);
}

function leavePlace(scheduling: Scheduling, transfer: Transfer, piece: Uint8Array): void {
  const { brief, fresh, ready, sparePieces } = scheduling;
  transfer.piece = null;
  for (const turns of [brief, fresh, ready]) remove(turns, transfer);
  // When the transfer was cancelled its socket is closed, so nothing is sent from the piece.
  if (sparePieces.length < SPARE_PIECES_MAX) sparePieces.push(piece);
  transfer.places.leave(transfer);
}

function admitWaiting(scheduling: Scheduling): void {
  for (const places of [scheduling.short, scheduling.long]) {
    for (let next = places.next(); next !== null; next = places.next()) run(scheduling, next);
  }
  countPlaces(scheduling);
}

function remove(list: Transfer[], transfer: Transfer): void {
  const at = list.indexOf(transfer);
  if (at !== -1) list.splice(at, 1);
}
