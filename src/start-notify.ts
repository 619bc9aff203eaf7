import type { Logger } from 'pino';
import type { Config } from './config/index.ts';
import type { HostBook } from './lookup/index.ts';
import { type Notifier, type NotifierLimits, startNotifier } from './notify/index.ts';
import type { DeviceId } from './policy/index.ts';
import {
  type DeviceStatusBook,
  type KeyBook,
  keyForNotify,
  type RunningPublisher,
} from './publish/index.ts';
import type { Store } from './publish/store-port.ts';
import type { ListenAddress } from './server/index.ts';
import type { SettingsUser } from './settings-in-use.ts';
import { soaRrset } from './zone/index.ts';

/** Tells devices of new serials, beginning with those that are still owed from before the start. */
export function startNotify(options: {
  readonly config: Config;
  readonly store: Store;
  readonly publisher: RunningPublisher;
  readonly status: DeviceStatusBook;
  readonly keys: KeyBook;
  readonly hosts: HostBook;
  /** Where we answer. */
  readonly listen: readonly ListenAddress[];
  readonly clock: () => number;
  readonly log: Logger;
}): Notifier & SettingsUser {
  const { config, store, publisher, status, keys, hosts, listen, clock, log } = options;
  const notifier = startNotifier({
    store,
    findKey: (deviceId, attempts) =>
      keyForNotify({
        keys: publisher.model.keys,
        useOf: keys.useOf,
        deviceId: deviceId as DeviceId,
        attempts,
        now: clock(),
      }),
    addressesOf: hosts.addressesOf,
    soaRdata: (origin) => servedSoa(publisher, origin),
    isFollowed: status.isFollowed,
    onAcknowledged(event) {
      status.acknowledged(event);
      keys.acknowledged(event);
    },
    onFailed: status.notAcknowledged,
    log,
    ...notifyLimits(config),
    ...notifySources(listen),
    now: clock,
  });
  notifier.wake();
  return { ...notifier, use: (next) => notifier.useLimits(notifyLimits(next)) };
}

function notifyLimits({ notify }: Config): Partial<NotifierLimits> {
  return {
    answerTimeoutMs: notify.timeoutMs,
    retryMsMax: notify.backoffMaxMs,
    inFlightMax: notify.inFlightMax,
    inFlightPerEndpointMax: notify.inFlightPerEndpointMax,
    perSecondMax: notify.perSecondMax,
  };
}

/**
 * A secondary takes a NOTIFY from an address that it knows as its primary and from no other (RFC 1996
 * section 3.10): so it comes from where we answer, if that is one address that others can reach.
 */
function notifySources(listen: readonly ListenAddress[]): {
  sourceIpv4?: string;
  sourceIpv6?: string;
} {
  const addresses = listen.map(({ address }) => address);
  const only = (of: readonly string[]): string | undefined =>
    of.length === 1 && !['0.0.0.0', '::', '::1'].includes(of[0]) && !of[0].startsWith('127.')
      ? of[0]
      : undefined;
  const sourceIpv4 = only(addresses.filter((address) => !address.includes(':')));
  const sourceIpv6 = only(addresses.filter((address) => address.includes(':')));
  return {
    ...(sourceIpv4 === undefined ? {} : { sourceIpv4 }),
    ...(sourceIpv6 === undefined ? {} : { sourceIpv6 }),
  };
}

function servedSoa(publisher: RunningPublisher, origin: string) {
  const zone = publisher.state.zones.get(origin);
  if (zone === undefined) return null;
  const { ttl, rdatas } = soaRrset(zone.settings, zone.serial);
  return { serial: zone.serial, ttl, rdata: rdatas[0]! };
}
