import type { Logger } from 'pino';
import { formatName } from './dns/name.ts';
import type { Logging } from './logging.ts';
import type { Observer, Transport } from './nameserver/index.ts';
import type { DeviceStatusBook, KeyBook, RefusalBook } from './publish/index.ts';

export interface ObserverWithCounts extends Observer {
  /** Answers since the start, by transport and RCODE. */
  readonly answers: Readonly<Record<Transport, ReadonlyMap<number, number>>>;
}

/**
 * Where what the nameserver saw goes to: the status of devices, the use of keys, what was refused, the
 * log, the metrics.
 */
export function createObserver(
  status: DeviceStatusBook,
  keys: KeyBook,
  refusals: RefusalBook,
  logging: Logging,
): ObserverWithCounts {
  const answers = {
    udp: new Map<number, number>(),
    tcp: new Map<number, number>(),
    tls: new Map<number, number>(),
  };
  return {
    answers,
    polled(event) {
      status.polled(event);
      keys.polled(event);
    },
    transferred(event) {
      if (logging.settings().transfers) logTransfer(logging.log, event);
      status.transferred(event);
      keys.transferred(event);
    },
    refused: refusals.refused,
    answered(rcode, protocol) {
      const counts = answers[protocol];
      counts.set(rcode, (counts.get(rcode) ?? 0) + 1);
    },
  };
}

type TransferEvent = Parameters<Observer['transferred']>[0];

function logTransfer(log: Logger, event: TransferEvent): void {
  const { zone, deviceId, kind, address, protocol, key, octets, durationMs, completed } = event;
  log.info(
    {
      zone: formatName(zone.settings.origin),
      deviceId,
      // Of the copy that the client has, as its IXFR says it.
      fromSerial: event.clientSerial ?? null,
      serial: zone.serial,
      kind,
      address,
      protocol,
      keyName: key === null ? null : formatName(key.name),
      octets,
      durationMs,
      completed,
    },
    'transferred',
  );
}
