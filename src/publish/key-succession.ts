import type { DeviceKey, KeyId, Model } from '../policy/model.ts';

/**
 * Of the keys that take over from this one, one rotation after the other, the first that was used;
 * null while none was. A key that no rotation replaces has none.
 */
export function seenSuccessor(
  key: DeviceKey,
  keys: Model['keys'],
  wasUsed: (keyId: KeyId) => boolean,
): DeviceKey | null {
  let successor = key.replacedBy === null ? undefined : keys.get(key.replacedBy);
  while (successor !== undefined && !wasUsed(successor.id)) {
    successor = successor.replacedBy === null ? undefined : keys.get(successor.replacedBy);
  }
  return successor ?? null;
}

/** The keys whose successor was used, and that would go on beyond `endsAt` (Unix milliseconds). */
export function keysToRetire(
  keys: Model['keys'],
  wasUsed: (keyId: KeyId) => boolean,
  endsAt: number,
): readonly DeviceKey[] {
  return [...keys.values()].filter(
    (key) =>
      (key.expiresAt === null || key.expiresAt > endsAt) &&
      seenSuccessor(key, keys, wasUsed) !== null,
  );
}
