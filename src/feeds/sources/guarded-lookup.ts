import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { detailOf, FeedFailure } from './feed-failure.ts';
import { isPrivateAddress } from './private-address.ts';

/** All addresses of a host name. */
export type ResolveHost = (name: string) => Promise<readonly LookupAddress[]>;

const resolveBySystem: ResolveHost = (name) => lookup(name, { all: true });

/**
 * Finds the addresses that a connection is then made to. The check stands here and nowhere earlier,
 * so a name that has another address the second time it is asked for gains nothing by it. Addresses
 * that feeds may not be fetched from are left out; when no other remains, that is the failure.
 */
export function guardedLookup(
  allowPrivate: boolean,
  resolve: ResolveHost = resolveBySystem,
): LookupFunction {
  return (name, options, callback) => {
    usableAddresses(name, allowPrivate, resolve).then(
      (usable) => {
        if (options.all) callback(null, [...usable]);
        else callback(null, usable[0]!.address, usable[0]!.family);
      },
      (failure) => callback(failure, ''),
    );
  };
}

/** A connection to an address asks nobody for it: call this before. Throws a FeedFailure. */
export function checkLiteralAddress(host: string, allowPrivate: boolean): void {
  if (allowPrivate || isIP(host) === 0 || !isPrivateAddress(host)) return;
  throw new FeedFailure('private-address', host);
}

async function usableAddresses(
  name: string,
  allowPrivate: boolean,
  resolve: ResolveHost,
): Promise<readonly LookupAddress[]> {
  const addresses = await resolve(name).catch((error) => {
    throw new FeedFailure('dns', detailOf(error));
  });
  if (addresses.length === 0) throw new FeedFailure('dns', name);
  const usable = allowPrivate
    ? addresses
    : addresses.filter(({ address }) => !isPrivateAddress(address));
  if (usable.length > 0) return usable;
  const found = addresses.map(({ address }) => address).join(', ');
  throw new FeedFailure('private-address', `${name} is at ${found}`);
}
