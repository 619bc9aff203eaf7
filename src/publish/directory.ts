import { parseIpv4, parseIpv6 } from '../dns/address.ts';
import { lowerCaseName, type Name, nameKey, parentName, parseName } from '../dns/name.ts';
import { type Serial, serial } from '../dns/serial.ts';
import type { TsigKey } from '../dns/tsig.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import type { Directory, Requester } from '../nameserver/directory-port.ts';
import { findCovers } from '../policy/explain.ts';
import type { AccountId, Device, DeviceId, DeviceKey, Model, PolicyId } from '../policy/model.ts';
import { isSecondary } from '../policy/secondary.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import { parseSourcePrefix, prefixHolds, type SourcePrefix } from './prefix-match.ts';
import type { PublishedState } from './state.ts';
import { type ZoneDefaults, zoneSettings } from './zone-names.ts';

/** Said of an address in the place of who lists it, while a zone keeps an earlier content. */
const ROLLED_BACK = 'rolled back';

/** A device as far as it decides who may read. */
interface Reader {
  readonly id: DeviceId;
  readonly access: Device['access'];
  readonly sources: readonly SourcePrefix[];
  /** Lower case, with final dot. */
  readonly certificateName: string | null;
}

/** The addresses that host names of devices have, as they were last looked up. */
export interface HostAddresses {
  /** In text form. */
  addressesOf(name: string): readonly string[];
}

/** The nameserver's view of a published state. Made once per state, and when addresses of hosts change. */
export function createDirectory(
  state: PublishedState,
  catalogue: Catalogue,
  defaults: ZoneDefaults,
  hosts?: HostAddresses,
): Directory {
  const zones = new Map<string, ZoneSnapshot>();
  const above = new Set<string>();
  for (const zone of state.zones.values()) {
    const { origin } = zone.settings;
    zones.set(nameKey(origin), zone);
    for (let name = origin; name.length > 1; name = parentName(name)) above.add(nameKey(name));
  }
  const { keys, storedKeys } = indexKeys(state.model);
  const readers = indexReaders(state.model, hosts);
  const all = [...readers.byDevice.values()].flat();

  /** Who proved who he is comes before who merely has the address, so that devices at one site are told apart. */
  const findReader = (among: readonly Reader[], requester: Requester): Reader | null => {
    const { key, address, certificateNames = NO_NAMES } = requester;
    const keyHolder = key === null ? undefined : storedKeys.get(key)?.deviceId;
    const byKey = among.find(({ id, access }) => id === keyHolder && accepts(access, 'key'));
    if (byKey !== undefined) return byKey;
    // RFC 9103 section 9.3.3: mutual TLS authenticates the client by the name in its certificate.
    const byName =
      certificateNames.length === 0
        ? undefined
        : among.find(
            ({ access, certificateName }) =>
              certificateName !== null &&
              accepts(access, 'certificate') &&
              certificateNames.includes(certificateName),
          );
    if (byName !== undefined) return byName;
    const octets = parseIpv4(address) ?? parseIpv6(address);
    if (octets === null) return null;
    return (
      among.find(
        ({ access, sources }) => accepts(access, 'source') && holdsAddress(sources, octets),
      ) ?? null
    );
  };

  return {
    catalogue,
    root: zoneSettings(`${defaults.root.toLowerCase().replace(/\.$/, '')}.`, defaults),
    zoneOf(name) {
      for (let at: Name = lowerCaseName(name); ; at = parentName(at)) {
        const zone = zones.get(nameKey(at));
        if (zone !== undefined) return zone;
        if (at.length <= 1) return null;
      }
    },
    hasZoneBelow: (name) => above.has(nameKey(name)),
    highestSerial() {
      let highest = 1;
      for (const zone of zones.values()) highest = Math.max(highest, zone.serial);
      return serial(highest) satisfies Serial;
    },
    findKey: (name) => keys.get(nameKey(name)),
    transfersMaxOf: (key) => storedKeys.get(key)?.transfersMax ?? null,
    authorise: (zone, requester) => findReader(readersOf(zone, readers), requester)?.id ?? null,
    isKnown: (requester) => findReader(all, requester) !== null,
    listedBy(zone, words) {
      const compiled = zone.policyId === null ? undefined : state.compiled.get(zone.policyId);
      if (compiled === undefined || zone.body.kind !== 'ip') return [];
      // The members of now do not tell who listed what in an earlier content.
      if (zone.policyId !== null && state.pins.has(zone.policyId)) return [ROLLED_BACK];
      const { side } = zone.body;
      const covers = findCovers(catalogue, compiled.members, {
        trigger: 'ip',
        words,
        length: words.length * 32,
      });
      const names = covers
        .filter(({ member }) => member.action.kind === side)
        .map(({ member }) => member.source.name);
      return [...new Set(names)];
    },
  };
}

function indexKeys(model: Model) {
  const keys = new Map<string, TsigKey>();
  const storedKeys = new Map<TsigKey, DeviceKey>();
  for (const stored of model.keys.values()) {
    const { name, algorithm, secret } = stored;
    const key: TsigKey = { name: parseName(name), algorithm, secret };
    keys.set(nameKey(key.name), key);
    storedKeys.set(key, stored);
  }
  return { keys, storedKeys };
}

const NO_NAMES: readonly string[] = [];

function accepts(access: Device['access'], proof: 'key' | 'source' | 'certificate'): boolean {
  return access === 'either' || access === proof;
}

/**
 * A policy's zones are for the devices that it is assigned to, a device's own zones for it alone,
 * and all of them, with the catalog zones, for the secondaries of the account and of the server.
 */
function readersOf(
  { deviceId, policyId, accountId }: ZoneSnapshot,
  { byPolicy, byDevice, ofServer, byAccount }: Readers,
): readonly Reader[] {
  const secondaries =
    accountId === null ? ofServer : [...ofServer, ...(byAccount.get(accountId) ?? NO_READERS)];
  let devices: readonly Reader[] = NO_READERS;
  if (deviceId !== null) devices = byDevice.get(deviceId) ?? NO_READERS;
  else if (policyId !== null) devices = byPolicy.get(policyId) ?? NO_READERS;
  return secondaries.length === 0 ? devices : [...devices, ...secondaries];
}

const NO_READERS: readonly Reader[] = [];

interface Readers {
  /** Secondaries of the whole server, and those of each account. */
  readonly ofServer: readonly Reader[];
  readonly byAccount: ReadonlyMap<AccountId, readonly Reader[]>;
  readonly byPolicy: ReadonlyMap<PolicyId, readonly Reader[]>;
  readonly byDevice: ReadonlyMap<DeviceId, readonly [Reader]>;
}

function indexReaders(model: Model, hosts: HostAddresses | undefined): Readers {
  const byPolicy = new Map<PolicyId, Reader[]>();
  const byDevice = new Map<DeviceId, readonly [Reader]>();
  const byAccount = new Map<AccountId, Reader[]>();
  const ofServer: Reader[] = [];
  for (const device of model.devices.values()) {
    const { id, access, policyId, certificateName, accountId } = device;
    const reader: Reader = {
      id,
      access,
      sources: sourcesOf(device, hosts),
      certificateName: certificateName === null ? null : absoluteName(certificateName),
    };
    byDevice.set(id, [reader]);
    if (!isSecondary(device)) append(byPolicy, policyId, reader);
    else if (device.scope === 'server') ofServer.push(reader);
    else append(byAccount, accountId, reader);
  }
  return { byPolicy, byDevice, ofServer, byAccount };
}

function absoluteName(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

function append<Key>(groups: Map<Key, Reader[]>, key: Key | null, reader: Reader): void {
  if (key === null) return;
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [reader]);
  else group.push(reader);
}

/** Prefixes as they were given, and the addresses that host names have now. */
function sourcesOf(
  { sources, hostnames }: Device,
  hosts: HostAddresses | undefined,
): readonly SourcePrefix[] {
  const looked = hosts === undefined ? [] : hostnames.flatMap((name) => hosts.addressesOf(name));
  return [...sources, ...looked].flatMap((text) => parseSourcePrefix(text) ?? []);
}

function holdsAddress(sources: readonly SourcePrefix[], address: Uint8Array): boolean {
  return sources.some((source) => prefixHolds(source, address));
}
