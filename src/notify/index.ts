/**
 * Drains the outbox: NOTIFY (RFC 1996) over UDP to the endpoints of devices, signed where the
 * device has a key, again and again until each is acknowledged.
 *
 * An endpoint may be a host name: lookup/ knows its addresses.
 *
 * Who is owed what is not decided here: publish/ writes the outbox in the transaction of the
 * change. NOTIFYs that others send to us are nameserver/'s.
 *
 * Not implemented: NOTIFY over TCP (RFC 1996 section 3.5), NOTIFY for anything but SOA, endpoints
 * with link-local addresses.
 */

export { type Notifier, startNotifier } from './notifier.ts';
export type { ServedSoa } from './notify-message.ts';
export {
  type Acknowledgement,
  DEFAULT_LIMITS,
  type NotifierLimits,
  type NotifierOptions,
  type NotifierStatistics,
  type NotifyLog,
  type Outbox,
} from './options.ts';
