/**
 * Addresses of host names: those that devices ask from and those that NOTIFYs go to, looked up again
 * and again while they are in use. The last good answer stays while no resolver answers.
 *
 * Here: the book of names with their addresses, when each is asked for again, one lookup of A and
 * AAAA. Not here: which names are in use (publish/), who may read because of an address (publish/ and
 * nameserver/), sending (notify/).
 *
 * Answers are kept in memory only: after a restart a device that is known by a host name alone is
 * refused until that name was looked up, which begins at once. Not implemented: /etc/hosts, search
 * domains, DNSSEC validation (the resolver's answer is believed).
 */
export {
  type HostBook,
  type HostBookOptions,
  openHostBook,
} from './host-book.ts';
export { createHostLookup, type HostLookup, type LookupServer } from './host-lookup.ts';
