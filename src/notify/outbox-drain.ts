import { isNewerSerial, serial } from '../dns/index.ts';
import type { OutboxRow } from '../publish/store-port.ts';
import type { Delivery } from './delivery.ts';
import { createLanes, type Lanes } from './lanes.ts';
import type { ServedSoa } from './notify-message.ts';
import type { NotifierLimits, NotifierOptions } from './options.ts';
import type { OutcomeWriter } from './outcome-writer.ts';
import type { Pacer } from './pacer.ts';
import { createUnservedRows, type UnservedRows } from './unserved-rows.ts';

/** Takes rows out of the outbox as they become due and has them delivered, within the limits. */
export interface OutboxDrain {
  /** The outbox may have changed. */
  wake(): void;
  inFlight(): number;
  /** Nothing is begun any more; resolves when what was begun is written down. */
  stop(): Promise<void>;
}

/** While answers are awaited, the outbox cannot say when the row after those is due. */
const AWAITING_READ_MS = 250;
/** Not so often while rows wait that were read already: with thousands of them a read takes a while. */
const WAITING_READ_MS = 1_000;
/**
 * When nothing is under way and a row is due all the same, because its serial is not served yet.
 * Normally the wake that follows the swap comes first.
 */
const HELD_READ_MS = 100;
/** Rows made due together at the start: changes that come meanwhile need not wait for all of them. */
const HURRIED_ROWS = 256;
const OUTBOX_FAILED_READ_MS = 1_000;
const READ_MS_MIN = 5;
const READ_MS_MAX = 60_000;
/** When the pace is used up: a few messages go out at once rather than one each millisecond. */
const PACE_MS_MIN = 5;

interface Drain {
  readonly options: NotifierOptions & NotifierLimits;
  readonly now: () => number;
  readonly delivery: Delivery;
  readonly pacer: Pacer;
  readonly outcomes: OutcomeWriter;
  /** Rows read and not looked at yet. */
  readonly lanes: Lanes;
  /** Rows under way by endpoint and zone, until how it went is in the outbox. */
  readonly inFlight: Map<string, OutboxRow>;
  /** Of these another row was due meanwhile: of a newer serial, or of another device. */
  readonly missed: Set<string>;
  /** Settled since the outbox was asked last: a row of these that it returned may be gone. */
  readonly settledSinceRead: Set<string>;
  /** When each endpoint and zone was last sent something, while that matters (performance.now()). */
  readonly sentAt: Map<string, number>;
  readonly unserved: UnservedRows;
  /** Whether the outbox has more rows than were read, and any of those read was sent. */
  moreDue: boolean;
  progress: boolean;
  /** Whether what was owed at the start was made due, or is being made so. */
  hurried: boolean;
  reading: Promise<void> | null;
  readAgain: boolean;
  timer: NodeJS.Timeout | null;
  timerAt: number;
  /** Until the pace lets more go out. */
  paceTimer: NodeJS.Timeout | null;
  readonly settling: Set<Promise<void>>;
  stopped: boolean;
}

/**
 * Starts with everything that is owed, whenever it was planned for: RFC 1996 section 4.1 finds it
 * reasonable to notify when a server starts.
 */
export function startOutboxDrain({
  options,
  now,
  delivery,
  pacer,
  outcomes,
}: Pick<Drain, 'options' | 'now' | 'delivery' | 'pacer' | 'outcomes'>): OutboxDrain {
  const drain: Drain = {
    options,
    now,
    delivery,
    pacer,
    outcomes,
    lanes: createLanes(options),
    inFlight: new Map(),
    missed: new Set(),
    settledSinceRead: new Set(),
    sentAt: new Map(),
    unserved: createUnservedRows({ options, outcomes, now }),
    moreDue: false,
    progress: false,
    hurried: false,
    reading: null,
    readAgain: false,
    timer: null,
    timerAt: Number.POSITIVE_INFINITY,
    paceTimer: null,
    settling: new Set(),
    stopped: false,
  };
  read(drain);
  return {
    wake: () => read(drain),
    inFlight: () => drain.inFlight.size,
    async stop() {
      drain.stopped = true;
      if (drain.timer !== null) clearTimeout(drain.timer);
      if (drain.paceTimer !== null) clearTimeout(drain.paceTimer);
      await drain.reading;
      await Promise.all(drain.settling);
    },
  };
}

/** Reads the outbox, or reads it once more when it is being read. */
function read(drain: Drain): void {
  drain.readAgain = true;
  if (drain.reading !== null || drain.stopped) return;
  drain.reading = readAll(drain).then(() => {
    drain.reading = null;
    if (drain.readAgain) read(drain);
  });
}

async function readAll(drain: Drain): Promise<void> {
  try {
    while (drain.readAgain && !drain.stopped) await readOnce(drain);
    if (!drain.hurried) hurry(drain);
    if (!drain.stopped) planRead(drain, await nextReadMs(drain));
  } catch (error) {
    drain.options.log.error({ err: error }, 'the outbox failed');
    drain.readAgain = false;
    planRead(drain, OUTBOX_FAILED_READ_MS);
  }
}

async function readOnce(drain: Drain): Promise<void> {
  const { store, rowsReadMax, spacingMs } = drain.options;
  drain.readAgain = false;
  drain.settledSinceRead.clear();
  // Rows that nobody can send now must not be all that is read.
  const limit = rowsReadMax + drain.unserved.held;
  const rows = await store.dueNotifies(drain.now(), limit);
  drain.unserved.keepOnly(rows);
  const start = performance.now();
  for (const [key, at] of drain.sentAt) if (start - at >= spacingMs) drain.sentAt.delete(key);
  drain.lanes.fill(rows);
  drain.moreDue = rows.length >= limit;
  drain.progress = false;
  sendWhatFits(drain);
}

/**
 * Makes everything that is owed due, beside the reading: with many silent devices it takes a while.
 * Attempts start over, since what made them fail may be gone.
 */
function hurry(drain: Drain): void {
  drain.hurried = true;
  const hurried = hurryAll(drain)
    .catch((error) => {
      drain.options.log.error({ err: error }, 'the outbox failed');
      drain.hurried = false;
      planRead(drain, OUTBOX_FAILED_READ_MS);
    })
    .finally(() => drain.settling.delete(hurried));
  drain.settling.add(hurried);
}

async function hurryAll(drain: Drain): Promise<void> {
  const { store } = drain.options;
  const at = drain.now();
  const late = (await store.owedNotifies()).filter(({ nextAttemptAt }) => nextAttemptAt > at);
  for (let first = 0; first < late.length; first += HURRIED_ROWS) {
    if (drain.stopped) return;
    const failed = late
      .slice(first, first + HURRIED_ROWS)
      .map((row) => ({ ...row, attempts: 0, nextAttemptAt: at }));
    await drain.outcomes.write({ failed });
    read(drain);
  }
}

async function nextReadMs(drain: Drain): Promise<number> {
  if (drain.lanes.waiting > 0) return WAITING_READ_MS;
  if (drain.inFlight.size > 0) return AWAITING_READ_MS;
  const nextAt = await drain.options.store.nextNotifyAt();
  if (nextAt === null) return READ_MS_MAX;
  const inMs = nextAt - drain.now();
  if (inMs <= 0) return HELD_READ_MS;
  // No plan reaches so far: the clock was set back.
  if (inMs > drain.options.retryMsMax) hurry(drain);
  return inMs;
}

/** The earliest of all plans counts: a read too early finds nothing and plans the next one. */
function planRead(drain: Drain, inMs: number): void {
  if (drain.stopped) return;
  const delay = Math.min(READ_MS_MAX, Math.max(READ_MS_MIN, inMs));
  const at = performance.now() + delay;
  if (drain.timer !== null) {
    if (drain.timerAt <= at) return;
    clearTimeout(drain.timer);
  }
  drain.timerAt = at;
  drain.timer = setTimeout(() => {
    drain.timer = null;
    read(drain);
  }, delay);
}

function sendWhatFits(drain: Drain): void {
  if (drain.stopped) return;
  const { inFlight, lanes, options, pacer } = drain;
  while (inFlight.size < options.inFlightMax && lanes.waiting > 0) {
    const waitMs = pacer.waitMs();
    if (waitMs > 0) {
      planSending(drain, waitMs);
      return;
    }
    const row = lanes.next();
    if (row === undefined) break;
    lookAt(drain, row);
  }
  if (drain.moreDue && drain.progress && lanes.waiting === 0) read(drain);
}

/** Sends a row whose turn it is, unless it has to wait, or nothing is to be told of it any more. */
function lookAt(drain: Drain, row: OutboxRow): void {
  const key = endpointZone(row);
  const soa = drain.options.soaRdata(row.origin);
  if (drain.settledSinceRead.has(key)) planRead(drain, spacingLeftMs(drain, key));
  else if (drain.inFlight.has(key)) noteMissed(drain, key, row);
  else if (spacingLeftMs(drain, key) > 0) planRead(drain, spacingLeftMs(drain, key));
  else if (soa === null) drain.unserved.meet(row, (written) => track(drain, written));
  else if (!isAhead(row, soa)) send(drain, row, soa);
}

function planSending(drain: Drain, waitMs: number): void {
  drain.paceTimer ??= setTimeout(
    () => {
      drain.paceTimer = null;
      sendMore(drain);
    },
    Math.max(PACE_MS_MIN, waitMs),
  );
}

/** The row under way is due in the outbox all the while; that is no reason to read it again. */
function noteMissed(drain: Drain, key: string, row: OutboxRow): void {
  const underWay = drain.inFlight.get(key);
  if (underWay?.serial !== row.serial || underWay.deviceId !== row.deviceId) drain.missed.add(key);
}

/**
 * Whether the zone is not served with the row's serial yet: the row is on disk before the new
 * snapshot is in place, and a device that asked too early would hear the old serial and be content.
 */
function isAhead(row: OutboxRow, soa: ServedSoa): boolean {
  return isNewerSerial(serial(row.serial), soa.serial);
}

/** What is begun is awaited when the drain stops. */
function track(drain: Drain, written: Promise<void>): void {
  const tracked = written.finally(() => drain.settling.delete(tracked));
  drain.settling.add(tracked);
}

function spacingLeftMs({ options, sentAt }: Drain, key: string): number {
  return options.spacingMs - (performance.now() - (sentAt.get(key) ?? -Infinity));
}

function send(drain: Drain, row: OutboxRow, soa: ServedSoa): void {
  const key = endpointZone(row);
  drain.progress = true;
  drain.inFlight.set(key, row);
  drain.sentAt.set(key, performance.now());
  drain.lanes.begun(row);
  const settled = drain.delivery.deliver(row, soa).then(({ answered, retryInMs }) => {
    drain.settling.delete(settled);
    drain.inFlight.delete(key);
    drain.settledSinceRead.add(key);
    drain.lanes.ended(row, answered);
    if (retryInMs !== null) planRead(drain, retryInMs);
    if (drain.missed.delete(key)) read(drain);
    sendMore(drain);
  });
  drain.settling.add(settled);
}

/** Outside of a read, so what the zones' side throws has to be caught here. */
function sendMore(drain: Drain): void {
  try {
    sendWhatFits(drain);
  } catch (error) {
    drain.options.log.error({ err: error }, 'the outbox failed');
    planRead(drain, OUTBOX_FAILED_READ_MS);
  }
}

function endpointZone({ address, port, origin }: OutboxRow): string {
  return `${address} ${port} ${origin}`;
}
