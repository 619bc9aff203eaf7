import type { Device, DeviceKey, Model } from '../../policy/model.ts';
import { accountOf, type Edit, findDevice, notFound, viewerOf } from './edit.ts';
import { type Fields, openFields } from './fields.ts';

export const KEY_ALGORITHMS = [
  'hmac-sha256',
  'hmac-sha384',
  'hmac-sha512',
  'hmac-sha1',
  'hmac-md5',
] as const satisfies readonly DeviceKey['algorithm'][];
/** 256 bits, whatever the algorithm. */
const SECRET_OCTETS = 32;
/** Two keys are enough for a rotation with overlap; the rest is leeway. */
const KEYS_PER_DEVICE_MAX = 8;
/** How long old and new keys both sign when a rotation does not say. */
export const OVERLAP_SECONDS_DEFAULT = 7 * 24 * 3_600;
export const OVERLAP_SECONDS_MAX = 90 * 24 * 3_600;
/** Octets of randomness in a key's name when its plain name is taken. */
const SUFFIX_OCTETS = 4;
const NAME_ATTEMPTS_MAX = 16;

/**
 * Makes a TSIG key for a device. Input: optionally `algorithm`. Its secret is in the answer and
 * nowhere else in clear; the caller shows it once.
 */
export function createKey(edit: Edit, deviceId: number, input: unknown): DeviceKey {
  const device = findDevice(viewerOf(edit), deviceId);
  const fields = openFields(input);
  const algorithm = readAlgorithm(edit, fields);
  refuseAnotherKey(edit, fields, device);
  fields.close();
  return putKey(edit, device, algorithm);
}

/** A key that takes over, and those that it takes over from. */
export interface RotatedKeys {
  readonly key: DeviceKey;
  /** They end after the overlap; with none they are gone already. */
  readonly retiring: readonly DeviceKey[];
}

/**
 * Makes a new key and lets all others of the device end after `overlap` seconds, unless they end
 * sooner: so long both sign, and the device can be configured anew without a gap. Input: optionally
 * `overlap` (7 days) and `algorithm`.
 */
export function rotateKeys(edit: Edit, deviceId: number, input: unknown): RotatedKeys {
  const { draft } = edit;
  const device = findDevice(viewerOf(edit), deviceId);
  const fields = openFields(input);
  const algorithm = readAlgorithm(edit, fields);
  const overlap = fields.integer('overlap', {
    min: 0,
    max: OVERLAP_SECONDS_MAX,
    otherwise: OVERLAP_SECONDS_DEFAULT,
  });
  // Without an overlap the old keys make room.
  if (overlap > 0) refuseAnotherKey(edit, fields, device);
  fields.close();
  const expiresAt = draft.now + overlap * 1000;
  const retiring = keysOfDevice(edit, device.id).map((old) => ({
    ...old,
    expiresAt: Math.min(old.expiresAt ?? expiresAt, expiresAt),
  }));
  // Made while the old ones are there, so that it never bears the name of one of them.
  const key = putKey(edit, device, algorithm);
  for (const old of retiring) {
    if (overlap === 0) draft.delete('key', old.id);
    else draft.put('key', old);
  }
  return { key, retiring };
}

/** Removes the keys that have ended by now; returns how many. */
export function removeExpiredKeys({ draft }: Pick<Edit, 'draft'>): number {
  const ended = [...draft.model.keys.values()].filter(
    ({ expiresAt }) => expiresAt !== null && expiresAt <= draft.now,
  );
  for (const { id } of ended) draft.delete('key', id);
  return ended.length;
}

/** When the next key ends (Unix milliseconds), or null when none does. */
export function nextKeyExpiry({ keys }: Pick<Model, 'keys'>): number | null {
  let next: number | null = null;
  for (const { expiresAt } of keys.values()) {
    if (expiresAt !== null && (next === null || expiresAt < next)) next = expiresAt;
  }
  return next;
}

/** Revokes a key at once. */
export function deleteKey(edit: Edit, deviceId: number, keyId: number): DeviceKey {
  const device = findDevice(viewerOf(edit), deviceId);
  const key = keysOfDevice(edit, device.id).find(({ id }) => id === keyId);
  if (key === undefined) throw notFound('key', keyId);
  edit.draft.delete('key', key.id);
  return key;
}

function readAlgorithm({ settings }: Edit, fields: Fields): DeviceKey['algorithm'] {
  const { keyAlgorithms } = settings;
  const algorithm = fields.choice('algorithm', KEY_ALGORITHMS, {
    otherwise: keyAlgorithms[0] ?? 'hmac-sha256',
  });
  if (!keyAlgorithms.includes(algorithm)) {
    const rule = `The configuration allows ${keyAlgorithms.join(', ')}.`;
    fields.refuse('key-algorithm', 'algorithm', rule);
  }
  return algorithm;
}

function refuseAnotherKey(edit: Edit, fields: Fields, device: Device): void {
  if (keysOfDevice(edit, device.id).length < KEYS_PER_DEVICE_MAX) return;
  const rule = `A device has at most ${KEYS_PER_DEVICE_MAX} keys; delete one first.`;
  fields.refuse('invalid-value', 'device id', rule);
}

function putKey(edit: Edit, device: Device, algorithm: DeviceKey['algorithm']): DeviceKey {
  const key: DeviceKey = {
    id: edit.draft.nextId('key'),
    deviceId: device.id,
    name: freeKeyName(edit, device.name),
    algorithm,
    secret: edit.settings.randomBytes(SECRET_OCTETS),
    expiresAt: null,
    createdAt: edit.draft.now,
  };
  edit.draft.put('key', key);
  return key;
}

/** `<device>.key.<account>.<root>`, with random digits behind the device while that is taken. */
function freeKeyName(edit: Edit, deviceName: string): string {
  const suffix = `key.${accountOf(edit).label}.${edit.settings.root}`;
  const taken = new Set([...edit.draft.model.keys.values()].map(({ name }) => name));
  const plain = `${deviceName}.${suffix}`;
  if (!taken.has(plain)) return plain;
  for (let attempt = 0; attempt < NAME_ATTEMPTS_MAX; attempt++) {
    const digits = Buffer.from(edit.settings.randomBytes(SUFFIX_OCTETS)).toString('hex');
    const name = `${deviceName}-${digits}.${suffix}`;
    if (!taken.has(name)) return name;
  }
  throw new Error(`no free key name for ${plain}: the random numbers repeat themselves`);
}

function keysOfDevice(edit: Edit, deviceId: number): readonly DeviceKey[] {
  return [...edit.draft.model.keys.values()].filter((key) => key.deviceId === deviceId);
}
