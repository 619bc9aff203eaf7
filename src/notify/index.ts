/**
 * Drains the outbox: NOTIFY (RFC 1996) over UDP to the endpoints of devices, signed where the
 * device has a key, again and again until each is acknowledged.
 *
 * An endpoint may be a host name: lookup/ knows its addresses.
 *
 * Who comes first: endpoints take turns, one row each, and of an endpoint the row that is owed longest
 * is the next. So a mass update of a secondary's thousands of zones goes out bit by bit, within a number
 * of awaited answers per endpoint and a number of messages per second in all, while a device with two
 * zones is told of both in the first two rounds. Of a zone that changes again meanwhile only the newest
 * serial is told.
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
  type Failure,
  type NotifierLimits,
  type NotifierOptions,
  type NotifierStatistics,
  type NotifyLog,
  type Outbox,
} from './options.ts';
