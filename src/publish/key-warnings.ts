import type { DeviceKey, KeyId, Model } from '../policy/model.ts';
import type { KeyBook } from './key-book.ts';
import { seenSuccessor } from './key-succession.ts';

/**
 * What an operator has to know of all the keys of a device: one that was used again after the key that
 * takes over had been seen. Then a part of the device still has it, or has gone back to it, and will
 * be refused when it ends.
 */
export function keyWarnings(
  keys: readonly DeviceKey[],
  useOf: KeyBook['useOf'],
): readonly string[] {
  const byId: Model['keys'] = new Map(keys.map((key) => [key.id, key]));
  const wasUsed = (keyId: KeyId): boolean => useOf(keyId) !== undefined;
  return keys.flatMap((key) => {
    const successor = seenSuccessor(key, byId, wasUsed);
    const taken = successor && useOf(successor.id);
    const use = useOf(key.id);
    if (!taken || use === undefined || use.lastUsedAt <= taken.firstUsedAt) return [];
    const when = new Date(use.lastUsedAt).toISOString();
    const end = key.expiresAt === null ? 'soon' : `on ${new Date(key.expiresAt).toISOString()}`;
    return [
      `Key "${key.name}" was still used on ${when} from ${use.lastUsedFrom}, after key "${successor.name}" had taken over from it. It ends ${end}.`,
    ];
  });
}
