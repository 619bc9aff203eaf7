import { formatName, parseName } from '../dns/name.ts';
import type { TsigKey } from '../dns/tsig.ts';
import type { DeviceId, DeviceKey, Model } from '../policy/model.ts';

type Keys = Model['keys'];

/** The keys of a published model, found without looking at all of them. */
export interface KeyIndex {
  /** In the order in which they were made. */
  ofDevice(deviceId: DeviceId): readonly DeviceKey[];
  /** The key that signed; undefined when it is gone, or when another one bears its name now. */
  ofTsigKey(key: TsigKey): DeviceKey | undefined;
}

/** Made once for each state of the keys. Only for published models, which do not change any more. */
export function indexOfKeys(keys: Keys): KeyIndex {
  const known = indices.get(keys);
  if (known !== undefined) return known;
  const byDevice = Map.groupBy(keys.values(), ({ deviceId }) => deviceId);
  const byName = new Map([...keys.values()].map((key) => [key.name, key]));
  const index: KeyIndex = {
    ofDevice: (deviceId) => byDevice.get(deviceId) ?? [],
    ofTsigKey({ name, secret }) {
      const key = byName.get(formatName(name).toLowerCase());
      // The name of a key that was revoked is free for another one.
      return key !== undefined && Buffer.compare(key.secret, secret) === 0 ? key : undefined;
    },
  };
  indices.set(keys, index);
  return index;
}

const indices = new WeakMap<Keys, KeyIndex>();

export function tsigKeyOf({ name, algorithm, secret }: DeviceKey): TsigKey {
  return { name: parseName(name), algorithm, secret };
}
