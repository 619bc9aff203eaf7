import { parseIpv4, parseIpv6 } from '../dns/address.ts';
import type { RefusedEvent } from '../nameserver/directory-port.ts';
import type { AccountId, Device, DeviceId, Model } from '../policy/model.ts';
import type { HostAddresses } from './directory.ts';
import { parseSourcePrefix, type SourcePrefix } from './prefix-match.ts';

/** What a question that was refused says of its sender, proven or not. */
export type ClaimedIdentity = Pick<
  RefusedEvent,
  'name' | 'address' | 'tsig' | 'keyName' | 'certificateNames'
>;

/**
 * Which devices a question may have come from that was refused: by the name of the key, also of one
 * that is gone, by the name in the certificate, or by the address. Nothing of it is a proof; it serves
 * to tell the owner of a device why it gets nothing. Behind one address there may be devices of several
 * accounts: a question about a name of one account is not put down to those of another, which have
 * nothing to do with it and are not to learn of it. A look-up costs the same however many devices there
 * are.
 */
export interface DeviceIdentities {
  find(claimed: ClaimedIdentity): readonly DeviceId[];
}

/** Devices of an account behind one address to which a question is put down; it came from one of them. */
const SHARED_MAX = 4;

export function indexIdentities(
  model: Pick<Model, 'devices' | 'keys' | 'accounts'>,
  /** The name below which all zones are, with or without its final dot. */
  root: string,
  hosts?: HostAddresses,
): DeviceIdentities {
  const byKeyName = new Map<string, DeviceId>();
  const byCertificate = new Map<string, DeviceId>();
  const sources = createPrefixIndex();
  /** Where devices are told of changes: they mostly ask from there. */
  const endpoints = createPrefixIndex();
  for (const device of model.devices.values()) {
    const account = model.accounts.get(device.accountId);
    if (account !== undefined) byKeyName.set(`${device.name}.key.${account.label}`, device.id);
    if (device.certificateName !== null) {
      byCertificate.set(withFinalDot(device.certificateName.toLowerCase()), device.id);
    }
    for (const prefix of sourcesOf(device, hosts)) sources.add(prefix, device);
    for (const prefix of endpointsOf(device, hosts)) endpoints.add(prefix, device);
  }
  const ofKeys = new Map([...model.keys.values()].map(({ name, deviceId }) => [name, deviceId]));
  const findKeyHolder = (name: string): DeviceId | undefined =>
    ofKeys.get(name) ?? byKeyName.get(withoutDigits(name));

  const accountOfName = indexAccountNames(model, root);

  return {
    find({ name, address, tsig, keyName, certificateNames }) {
      const key = keyName ?? tsig?.keyName;
      const holder = key === undefined ? undefined : findKeyHolder(key.toLowerCase());
      if (holder !== undefined) return [holder];
      for (const name of certificateNames) {
        const named = byCertificate.get(name);
        if (named !== undefined) return [named];
      }
      const octets = parseIpv4(address) ?? parseIpv6(address);
      if (octets === null) return [];
      const owner = name === null ? undefined : accountOfName(name);
      const known = sources.find(octets, owner);
      return known.length > 0 ? known : endpoints.find(octets, owner);
    },
  };
}

/**
 * `<device>-<digits>.key.<account>.<root>` as `<device>.key.<account>`: keys are named so when they are
 * made, which tells whose a key was that is there no more.
 */
function withoutDigits(name: string): string {
  const [first = '', key = '', account = ''] = name.split('.', 3);
  return `${first.replace(/-[0-9a-f]{8}$/, '')}.${key}.${account}`;
}

/** Whose name it is: those of an account end in its label and the root. Undefined for all others. */
function indexAccountNames({ accounts }: Pick<Model, 'accounts'>, root: string) {
  const byLabel = new Map([...accounts.values()].map(({ label, id }) => [label, id]));
  const suffix = `.${withFinalDot(root.toLowerCase())}`;
  return (name: string): AccountId | undefined => {
    const lower = name.toLowerCase();
    if (!lower.endsWith(suffix)) return undefined;
    const below = lower.slice(0, -suffix.length);
    return byLabel.get(below.slice(below.lastIndexOf('.') + 1));
  };
}

function withFinalDot(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

function sourcesOf(
  { sources, hostnames }: Device,
  hosts: HostAddresses | undefined,
): readonly SourcePrefix[] {
  return [...sources, ...hostnames.flatMap((name) => hosts?.addressesOf(name) ?? [])].flatMap(
    (text) => parseSourcePrefix(text) ?? [],
  );
}

function endpointsOf(
  { notify }: Device,
  hosts: HostAddresses | undefined,
): readonly SourcePrefix[] {
  return notify
    .flatMap(({ address }) => [address, ...(hosts?.addressesOf(address) ?? [])])
    .flatMap((text) => parseSourcePrefix(text) ?? []);
}

/** Devices by prefix: one look-up for each length that occurs, the longest first. */
function createPrefixIndex() {
  /** By number of octets and length. */
  const lengths = new Map<string, { readonly length: number; readonly devices: PrefixDevices }>();
  let longestFirst: readonly string[] | null = null;
  return {
    add({ address, length }: SourcePrefix, { id, accountId, scope }: Device): void {
      const kind = `${address.length} ${length}`;
      const known = lengths.get(kind) ?? { length, devices: new Map() };
      if (!lengths.has(kind)) longestFirst = null;
      lengths.set(kind, known);
      const key = maskedKey(address, length);
      const accounts = known.devices.get(key) ?? new Map<AccountId | null, DeviceId[]>();
      known.devices.set(key, accounts);
      // A secondary for the whole server asks for the zones of all accounts.
      const asksFor = scope === 'server' ? null : accountId;
      const devices = accounts.get(asksFor) ?? [];
      accounts.set(asksFor, devices);
      if (devices.length < SHARED_MAX && !devices.includes(id)) devices.push(id);
    },
    /** Those that ask for names of this account; without one, where they are all of the same account. */
    find(address: Uint8Array, owner: AccountId | undefined): readonly DeviceId[] {
      longestFirst ??= [...lengths.keys()].sort(
        (a, b) => lengths.get(b)!.length - lengths.get(a)!.length,
      );
      for (const kind of longestFirst) {
        if (!kind.startsWith(`${address.length} `)) continue;
        const { length, devices } = lengths.get(kind)!;
        const found = devices.get(maskedKey(address, length));
        if (found === undefined) continue;
        if (owner === undefined) return found.size === 1 ? [...found.values()][0]! : [];
        const asking = [...(found.get(owner) ?? []), ...(found.get(null) ?? [])];
        if (asking.length > 0) return asking;
      }
      return [];
    },
  };
}

type PrefixDevices = Map<string, Map<AccountId | null, DeviceId[]>>;

function maskedKey(address: Uint8Array, length: number): string {
  let key = '';
  for (let at = 0; at < address.length; at += 1) {
    const bits = Math.min(8, Math.max(0, length - at * 8));
    key += String.fromCharCode(address[at] & (0xff00 >> bits));
  }
  return key;
}
