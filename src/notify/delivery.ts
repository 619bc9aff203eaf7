import { parseName, RCODE, rcodeName } from '../dns/index.ts';
import type { OutboxRow } from '../publish/store-port.ts';
import type { Exchanges, Outcome } from './exchanges.ts';
import { addressesToTell, tellOne } from './host-endpoint.ts';
import type { ServedSoa } from './notify-message.ts';
import type { NotifierLimits, NotifierOptions, NotifierStatistics } from './options.ts';
import type { OutcomeWriter } from './outcome-writer.ts';
import type { Pacer } from './pacer.ts';
import { retryDelayMs } from './retry-delay.ts';

/** Sends one row of the outbox once and writes down how it went. Never rejects. */
export interface Delivery {
  deliver(row: OutboxRow, soa: ServedSoa): Promise<Delivered>;
}

export interface Delivered {
  /** False when the endpoint gave no sign of life. */
  readonly answered: boolean;
  /** When the row is due again; null when it is not owed any more, or nobody knows. */
  readonly retryInMs: number | null;
}

export interface DeliveryOptions {
  readonly options: NotifierOptions & NotifierLimits;
  readonly exchanges: Exchanges;
  readonly pacer: Pacer;
  readonly outcomes: OutcomeWriter;
  readonly counters: { -readonly [Name in keyof NotifierStatistics]: number };
  readonly now: () => number;
  readonly random: () => number;
}

/** Troubles that are remembered in order to be logged once; when there are more, all are forgotten. */
const TROUBLES_MAX = 10_000;

export function createDelivery(given: DeliveryOptions): Delivery {
  const troubles = new Map<string, string>();
  return {
    async deliver(row, soa) {
      given.counters.sent += 1;
      const outcome = await send(given, row, soa);
      if (outcome.kind === 'stopped') return { answered: true, retryInMs: null };
      const answered = outcome.kind === 'answer' || outcome.kind === 'tsig-error';
      count(given.counters, outcome);
      reportTrouble(given, troubles, row, outcome);
      tellFailure(given, row, outcome);
      try {
        return { answered, retryInMs: await record(given, row, soa, outcome) };
      } catch (error) {
        // The row is still owed, so the device is told once more than it need be.
        given.options.log.error({ err: error, ...endpointOf(row) }, 'the outbox failed');
        return { answered, retryInMs: null };
      }
    },
  };
}

async function send(
  { options, exchanges, pacer }: DeliveryOptions,
  { origin, address, port, deviceId, attempts }: OutboxRow,
  soa: ServedSoa,
): Promise<Outcome> {
  const sendTo = async (each: string): Promise<Outcome> => {
    try {
      const zone = parseName(origin);
      const key = options.findKey(deviceId, attempts);
      // Here and not where the row is begun: a host name may stand for two addresses.
      pacer.spend();
      return await exchanges.send({ address: each, port, zone, soa, key });
    } catch (error) {
      return { kind: 'unsendable', reason: error instanceof Error ? error.message : `${error}` };
    }
  };
  return await tellOne(addressesToTell(address, options.addressesOf), sendTo);
}

/**
 * An acknowledgement is NOERROR: RFC 1996 section 4.7 has the response identical to the request
 * but for QR. NOTIMP completes the transaction as well (section 3.12): who does not know NOTIFY
 * will not learn it from more of them. So does NOTAUTH (RFC 2136 section 2.2), which says that the
 * zone is not served there: a device follows either the zones of its policy or its own, and is told
 * of both; when it takes up the other ones, it asks for them by itself. Neither is recorded as an
 * acknowledgement. Any other RCODE ends this request only (section 4.8): it tells of a secondary
 * that does not know us yet, so the row stays owed and a new request is made later. So it does after
 * an ICMP error, where section 3.6 would allow to give up: a secondary that is being restarted has
 * to hear of what it missed. Not so for a zone that the device does not follow: some answer REFUSED
 * to that, or not at all.
 */
async function record(
  { options, outcomes, now, random }: DeliveryOptions,
  row: OutboxRow,
  soa: ServedSoa,
  outcome: Outcome,
): Promise<number | null> {
  const rcode = outcome.kind === 'answer' ? outcome.rcode : null;
  const isFollowed = options.isFollowed?.(row.deviceId, row.origin) ?? true;
  if (isFollowed && (rcode === null || !SETTLING.has(rcode))) {
    const limits = { minMs: options.retryMsMin, maxMs: options.retryMsMax };
    const attempts = row.attempts + 1;
    const retryInMs = Math.round(retryDelayMs(attempts, limits, random()));
    await outcomes.write({ failed: [{ ...row, attempts, nextAttemptAt: now() + retryInMs }] });
    return retryInMs;
  }
  const { deviceId, origin, address, port } = row;
  const told = { deviceId, origin, address, port, serial: soa.serial };
  if (outcome.kind === 'answer' && rcode === RCODE.NOERROR) {
    options.onAcknowledged({ ...told, key: outcome.key, at: now() });
  }
  // What was sent may be newer than the row as it was read; the outbox may hold it in either state.
  await outcomes.write({ acknowledged: row.serial === soa.serial ? [told] : [told, row] });
  return null;
}

const SETTLING: ReadonlySet<number> = new Set([RCODE.NOERROR, RCODE.NOTIMP, RCODE.NOTAUTH]);

function count(counters: DeliveryOptions['counters'], outcome: Outcome): void {
  if (outcome.kind === 'timeout') counters.timeouts += 1;
  else if (outcome.kind === 'unsendable') counters.unsendable += 1;
  else if (outcome.kind === 'tsig-error') counters.refused += 1;
  else if (outcome.kind === 'answer') counters[counterOf(outcome.rcode)] += 1;
}

function counterOf(
  rcode: number,
): 'acknowledged' | 'notImplemented' | 'notServedThere' | 'refused' {
  if (rcode === RCODE.NOERROR) return 'acknowledged';
  if (rcode === RCODE.NOTAUTH) return 'notServedThere';
  return rcode === RCODE.NOTIMP ? 'notImplemented' : 'refused';
}

/** Logs when an endpoint and zone get into trouble, when the trouble changes and when it is over. */
function reportTrouble(
  { options: { log } }: DeliveryOptions,
  troubles: Map<string, string>,
  row: OutboxRow,
  outcome: Outcome,
): void {
  const key = `${row.address} ${row.port} ${row.origin}`;
  const trouble = troubleOf(outcome);
  if (trouble === (troubles.get(key) ?? null)) return;
  if (trouble === null) {
    troubles.delete(key);
    log.info(endpointOf(row), 'NOTIFY acknowledged again');
    return;
  }
  if (troubles.size >= TROUBLES_MAX) troubles.clear();
  troubles.set(key, trouble);
  if (trouble === NOT_SERVED)
    log.info(endpointOf(row), 'NOTIFY settled: the zone is not served there');
  else log.warn({ ...endpointOf(row), trouble }, 'NOTIFY not acknowledged');
}

function tellFailure({ options, now }: DeliveryOptions, row: OutboxRow, outcome: Outcome): void {
  const problem = troubleOf(outcome);
  const { deviceId, origin, address, port } = row;
  if (problem === null || options.isFollowed?.(deviceId, origin) === false) return;
  options.onFailed?.({ deviceId, origin, address, port, problem, at: now() });
}

const NOT_SERVED = rcodeName(RCODE.NOTAUTH);

function troubleOf(outcome: Outcome): string | null {
  switch (outcome.kind) {
    case 'answer':
      return outcome.rcode === RCODE.NOERROR ? null : rcodeName(outcome.rcode);
    case 'tsig-error':
      return outcome.error;
    case 'timeout':
      return outcome.hint === null ? 'no answer' : `no acceptable answer: ${outcome.hint}`;
    case 'unsendable':
      return outcome.reason;
    case 'stopped':
      return null;
  }
}

function endpointOf({ deviceId, origin, address, port, serial }: OutboxRow): object {
  return { deviceId, zone: origin, address, port, serial };
}
