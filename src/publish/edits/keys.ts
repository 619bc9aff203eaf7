import type { DeviceKey } from '../../policy/model.ts';
import { accountOf, type Edit, findDevice, notFound, viewerOf } from './edit.ts';
import { openFields } from './fields.ts';

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
  const { keyAlgorithms } = edit.settings;
  const algorithm = fields.choice('algorithm', KEY_ALGORITHMS, {
    otherwise: keyAlgorithms[0] ?? 'hmac-sha256',
  });
  if (!keyAlgorithms.includes(algorithm)) {
    const rule = `The configuration allows ${keyAlgorithms.join(', ')}.`;
    fields.refuse('key-algorithm', 'algorithm', rule);
  }
  if (keysOfDevice(edit, device.id).length >= KEYS_PER_DEVICE_MAX) {
    const rule = `A device has at most ${KEYS_PER_DEVICE_MAX} keys; delete one first.`;
    fields.refuse('invalid-value', 'device id', rule);
  }
  fields.close();
  const key: DeviceKey = {
    id: edit.draft.nextId('key'),
    deviceId: device.id,
    name: freeKeyName(edit, device.name),
    algorithm,
    secret: edit.settings.randomBytes(SECRET_OCTETS),
    createdAt: edit.draft.now,
  };
  edit.draft.put('key', key);
  return key;
}

/** Revokes a key at once. */
export function deleteKey(edit: Edit, deviceId: number, keyId: number): DeviceKey {
  const device = findDevice(viewerOf(edit), deviceId);
  const key = keysOfDevice(edit, device.id).find(({ id }) => id === keyId);
  if (key === undefined) throw notFound('key', keyId);
  edit.draft.delete('key', key.id);
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
