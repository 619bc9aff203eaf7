import type { Serial, TsigKey } from '../dns/index.ts';
import type { Store } from '../publish/store-port.ts';
import type { ServedSoa } from './notify-message.ts';

/** The part of the store that holds the outbox. */
export type Outbox = Pick<
  Store,
  'dueNotifies' | 'nextNotifyAt' | 'settleNotifies' | 'owedNotifies'
>;

/** The part of a logger that the notifier needs; pino fits. */
export interface NotifyLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface NotifierLimits {
  /** How long one attempt waits for its answer. */
  readonly answerTimeoutMs: number;
  /** After the first failure; it doubles with each. */
  readonly retryMsMin: number;
  /** RFC 1996 section 4.3: a delay is not to be longer than the zone's SOA REFRESH. */
  readonly retryMsMax: number;
  /** Between two NOTIFYs of one zone to one endpoint; changes in between go out as one. */
  readonly spacingMs: number;
  /** Answers awaited at once; endpoints that did not answer the last time get half the places. */
  readonly inFlightMax: number;
  /** Of these, to one address and port. */
  readonly inFlightPerEndpointMax: number;
  /** Messages in a second, to all endpoints together; a tenth of that may go out at once. */
  readonly perSecondMax: number;
  /** Rows taken out of the outbox at once. */
  readonly rowsReadMax: number;
  /** After this time a row whose zone is not served is settled: the zone does not come any more. */
  readonly unservedMs: number;
}

export const DEFAULT_LIMITS: NotifierLimits = {
  answerTimeoutMs: 2_000,
  retryMsMin: 1_000,
  retryMsMax: 900_000,
  spacingMs: 100,
  inFlightMax: 256,
  inFlightPerEndpointMax: 16,
  perSecondMax: 1_000,
  rowsReadMax: 4_096,
  unservedMs: 10_000,
};

export interface Acknowledgement {
  readonly deviceId: number;
  readonly origin: string;
  /** The serial in the NOTIFY that was answered: the row's, or a newer one. */
  readonly serial: Serial;
  readonly address: string;
  readonly port: number;
  /** What the answer was signed with; null when the NOTIFY was not signed. */
  readonly key: TsigKey | null;
  /** Unix milliseconds. */
  readonly at: number;
}

/** A NOTIFY that was not acknowledged. */
export interface Failure {
  readonly deviceId: number;
  readonly origin: string;
  /** The endpoint that it went to, which may be a host name. */
  readonly address: string;
  readonly port: number;
  /** What came instead: `no answer`, `REFUSED`, `TSIG BADTIME`, or why it could not be sent. */
  readonly problem: string;
  /** Unix milliseconds. */
  readonly at: number;
}

export interface NotifierOptions extends Partial<NotifierLimits> {
  readonly store: Outbox;
  /** The key that a NOTIFY to a device is signed with, after so many attempts that failed. */
  readonly findKey: (deviceId: number, attempts: number) => TsigKey | undefined;
  /**
   * The addresses that an endpoint's host name has now, asked right before each attempt; without it
   * endpoints are addresses only.
   */
  readonly addressesOf?: (name: string) => readonly string[];
  /** What a zone is served with at this moment; null when it is not served. */
  readonly soaRdata: (origin: string) => ServedSoa | null;
  /**
   * Whether the device may follow the zone, as far as its own questions tell. A zone that it does not
   * follow is told of once and not again; without this every zone is followed.
   */
  readonly isFollowed?: (deviceId: number, origin: string) => boolean;
  readonly onAcknowledged: (acknowledgement: Acknowledgement) => void;
  /** Called for each attempt that brought none, for zones that the device follows. */
  readonly onFailed?: (failure: Failure) => void;
  readonly log: NotifyLog;
  /**
   * Where NOTIFYs come from; without it the system chooses. RFC 1996 section 3.10: a secondary
   * ignores a NOTIFY from an address that it does not know as a primary of the zone.
   */
  readonly sourceIpv4?: string;
  readonly sourceIpv6?: string;
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** In [0, 1), for jitter. */
  readonly random?: () => number;
  /** From 0 to 65,535, not to be foreseen. */
  readonly randomId?: () => number;
}

/** Counters since the start; `inFlight` is of the moment. */
export interface NotifierStatistics {
  readonly sent: number;
  readonly acknowledged: number;
  /** Answered with NOTIMP, and so not told again of that change (RFC 1996 section 3.12). */
  readonly notImplemented: number;
  /** Answered with NOTAUTH: the device does not serve that zone, and is not told again of that change. */
  readonly notServedThere: number;
  /** Answered with any other RCODE, or with an authentic TSIG error. */
  readonly refused: number;
  readonly timeouts: number;
  readonly unsendable: number;
  /** Datagrams ignored for their id, address, port, question or signature. */
  readonly strays: number;
  readonly inFlight: number;
}
