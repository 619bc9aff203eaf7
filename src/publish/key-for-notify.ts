import type { TsigKey } from '../dns/tsig.ts';
import type { DeviceId, DeviceKey, Model } from '../policy/model.ts';
import type { KeyBook } from './key-book.ts';
import { indexOfKeys, tsigKeyOf } from './key-index.ts';

/**
 * The key that a NOTIFY to a device is signed with: the newest that the device was seen using. A key
 * that it has not been given yet it could not verify (RFC 8945 section 5.2.1). When it was seen using
 * none of those that are left, the newest. After a failure every other attempt tries the newest in any
 * case, since a device that never asks signed questions shows in no other way that it has it.
 */
export function keyForNotify(options: {
  readonly keys: Model['keys'];
  readonly useOf: KeyBook['useOf'];
  readonly deviceId: DeviceId;
  /** Attempts that this NOTIFY has failed. */
  readonly attempts: number;
  /** Unix milliseconds. */
  readonly now: number;
}): TsigKey | undefined {
  const { keys, useOf, deviceId, attempts, now } = options;
  const isValid = ({ expiresAt }: DeviceKey): boolean => expiresAt === null || expiresAt > now;
  const valid = indexOfKeys(keys).ofDevice(deviceId).filter(isValid);
  const newest = valid.at(-1);
  const seen = valid.findLast(({ id }) => useOf(id) !== undefined);
  const chosen = attempts % 2 === 0 ? (seen ?? newest) : newest;
  return chosen && tsigKeyOf(chosen);
}
