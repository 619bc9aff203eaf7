import type { Device, DeviceKey, KeyId, Model } from '../../policy/model.ts';
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
/** How long old and new keys both sign at most when a rotation does not say. */
export const OVERLAP_SECONDS_DEFAULT = 7 * 24 * 3_600;
export const OVERLAP_SECONDS_MAX = 90 * 24 * 3_600;
/** As many as the settings can allow any key. */
export const KEY_TRANSFERS_MAX = 10_000;
/** Octets of randomness in a key's name when its plain name is taken. */
const SUFFIX_OCTETS = 4;
const NAME_ATTEMPTS_MAX = 16;

/**
 * Makes a TSIG key for a device. Input: optionally `algorithm` and `transfersMax`. Its secret is in
 * the answer and nowhere else in clear; the caller shows it once.
 */
export function createKey(edit: Edit, deviceId: number, input: unknown): DeviceKey {
  const device = findDevice(viewerOf(edit), deviceId);
  const fields = openFields(input);
  const algorithm = readAlgorithm(edit, fields);
  const transfersMax = readTransfersMax(fields, null);
  refuseAnotherKey(edit, fields, device);
  fields.close();
  return putKey(edit, device, { algorithm, transfersMax });
}

/** Changes what can be changed of a key. Input: optionally `transfersMax`. */
export function updateKey(edit: Edit, deviceId: number, keyId: number, input: unknown): DeviceKey {
  const key = findKey(edit, deviceId, keyId);
  const fields = openFields(input);
  const transfersMax = readTransfersMax(fields, key.transfersMax);
  fields.close();
  const updated = { ...key, transfersMax };
  edit.draft.put('key', updated);
  return updated;
}

/** A key that takes over, and those that it takes over from. */
export interface RotatedKeys {
  readonly key: DeviceKey;
  /** They end after the overlap, or once the key that takes over was seen; with none they are gone. */
  readonly retiring: readonly DeviceKey[];
}

/**
 * Makes a new key that takes over from all others of the device. They end after `overlap` seconds at
 * the latest; with null they have no fixed end. They end sooner once the new one was seen
 * (key-retirement.ts). Until then both sign, and the device can be configured anew without a gap.
 * Input: optionally `overlap` (7 days), `algorithm`, and `transfersMax` (that of the newest key).
 */
export function rotateKeys(edit: Edit, deviceId: number, input: unknown): RotatedKeys {
  const { draft } = edit;
  const device = findDevice(viewerOf(edit), deviceId);
  const fields = openFields(input);
  const algorithm = readAlgorithm(edit, fields);
  const held = keysOfDevice(edit, device.id);
  const transfersMax = readTransfersMax(fields, held.at(-1)?.transfersMax ?? null);
  const overlap = readOverlap(fields);
  // Without an overlap the old keys make room.
  if (overlap !== 0) refuseAnotherKey(edit, fields, device);
  fields.close();
  // Made while the old ones are there, so that it never bears the name of one of them.
  const key = putKey(edit, device, { algorithm, transfersMax });
  const retiring = held.map((old) => ({
    ...old,
    // Who was to be replaced before goes on being so: the device may still come to use that key.
    replacedBy: old.replacedBy ?? key.id,
    expiresAt: overlap === null ? old.expiresAt : soonest(old, draft.now + overlap * 1000),
  }));
  for (const old of retiring) {
    if (overlap === 0) draft.delete('key', old.id);
    else draft.put('key', old);
  }
  return { key, retiring };
}

/** Lets keys end at a time, unless they end sooner. */
export function endKeys(
  { draft }: Pick<Edit, 'draft'>,
  keys: readonly DeviceKey[],
  endsAt: number,
): void {
  for (const key of keys) draft.put('key', { ...key, expiresAt: soonest(key, endsAt) });
}

/** Removes the keys that have ended by now; returns how many. */
export function removeExpiredKeys({ draft }: Pick<Edit, 'draft'>): number {
  const ended = [...draft.model.keys.values()].filter(
    ({ expiresAt }) => expiresAt !== null && expiresAt <= draft.now,
  );
  takeAway({ draft }, ended);
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
  const key = findKey(edit, deviceId, keyId);
  takeAway(edit, [key]);
  return key;
}

function findKey(edit: Edit, deviceId: number, keyId: number): DeviceKey {
  const device = findDevice(viewerOf(edit), deviceId);
  const key = edit.draft.model.keys.get(keyId as KeyId);
  if (key === undefined || key.deviceId !== device.id) throw notFound('key', keyId);
  return key;
}

/** Keys that were to be replaced by one that goes are left to the one that takes over from that. */
function takeAway({ draft }: Pick<Edit, 'draft'>, keys: readonly DeviceKey[]): void {
  const gone = new Map(keys.map((key) => [key.id, key]));
  for (const id of gone.keys()) draft.delete('key', id);
  const heirless = [...draft.model.keys.values()].filter(
    ({ replacedBy }) => replacedBy !== null && gone.has(replacedBy),
  );
  for (const key of heirless) {
    let { replacedBy } = key;
    while (replacedBy !== null && gone.has(replacedBy)) {
      replacedBy = gone.get(replacedBy)?.replacedBy ?? null;
    }
    draft.put('key', { ...key, replacedBy });
  }
}

function soonest({ expiresAt }: DeviceKey, endsAt: number): number {
  return Math.min(expiresAt ?? endsAt, endsAt);
}

function readOverlap(fields: Fields): number | null {
  if (fields.raw('overlap') === null) return null;
  return fields.integer('overlap', {
    min: 0,
    max: OVERLAP_SECONDS_MAX,
    otherwise: OVERLAP_SECONDS_DEFAULT,
  });
}

function readTransfersMax(fields: Fields, otherwise: number | null): number | null {
  if (!fields.has('transfersMax')) return otherwise;
  if (fields.raw('transfersMax') === null) return null;
  return fields.integer('transfersMax', { min: 1, max: KEY_TRANSFERS_MAX });
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

function putKey(
  edit: Edit,
  device: Device,
  { algorithm, transfersMax }: Pick<DeviceKey, 'algorithm' | 'transfersMax'>,
): DeviceKey {
  const key: DeviceKey = {
    id: edit.draft.nextId('key'),
    deviceId: device.id,
    name: freeKeyName(edit, device.name),
    algorithm,
    secret: edit.settings.randomBytes(SECRET_OCTETS),
    expiresAt: null,
    replacedBy: null,
    transfersMax,
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
