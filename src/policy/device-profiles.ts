import type { Device, DeviceType } from './model.ts';

/**
 * What a device counts when it says that it is full: resource records of a zone, prefixes of a list
 * (a single address is one, too), or single addresses that it resolves out of a name.
 */
export type CapacityUnit = 'records' | 'prefixes' | 'hosts';

/** A model, or a family of models, of devices: what it takes, and how much of it. */
interface ProfileRow {
  readonly id: string;
  readonly name: string;
  readonly deviceTypes: readonly DeviceType[];
  /** Null: bounded by its memory, by a setting of its own, or not documented as a number. */
  readonly recordsMax: number | null;
  readonly counts: CapacityUnit;
  /** Whether the number is for the block and the allow list together, or for each of them. */
  readonly per: 'device' | 'list';
  /** Where the number was read; empty without a number. */
  readonly source: string;
  readonly notes: string;
}

const NAME_SERVER = {
  deviceTypes: ['ip', 'dns', 'roaming', 'secondary'],
  recordsMax: null,
  counts: 'records',
  per: 'device',
  source: '',
} as const;
const FIREWALL = { deviceTypes: ['ip'], counts: 'prefixes', per: 'device' } as const;

/**
 * Few and right rather than many and wrong: a model whose limit could not be read in its maker's
 * documentation has no number here, and `recordsMax` of the device says what its owner knows.
 */
const PROFILE_TABLE = [
  {
    ...NAME_SERVER,
    id: 'generic',
    name: 'Any device',
    notes: 'Nothing is known of it: its capacity is what is entered with the device.',
  },
  {
    ...NAME_SERVER,
    id: 'bind',
    name: 'BIND',
    notes:
      'Bounded by memory. Applies changes of a policy zone at most every min-update-interval, 60 s by default.',
  },
  {
    ...NAME_SERVER,
    // It follows no catalog zone, and does not answer others with what it pulls.
    deviceTypes: ['ip', 'dns', 'roaming'],
    id: 'unbound',
    name: 'Unbound',
    notes:
      'Bounded by memory. Signs no requests, so it is known by its source addresses; crashes on TCP-only with name server triggers.',
  },
  {
    ...NAME_SERVER,
    id: 'powerdns',
    name: 'PowerDNS Recursor',
    notes: 'Bounded by memory, and by 20 s for a whole transfer.',
  },
  {
    ...NAME_SERVER,
    id: 'knot',
    name: 'Knot DNS or Knot Resolver',
    notes: 'Bounded by memory. Knot Resolver reads policy zones from files only.',
  },
  { ...NAME_SERVER, id: 'nsd', name: 'NSD', notes: 'Bounded by memory.' },
  {
    ...NAME_SERVER,
    id: 'script',
    name: 'A script of your own',
    counts: 'prefixes',
    notes: 'Such as sluice-pull, which feeds nftables, ipset or a router.',
  },
  {
    ...FIREWALL,
    id: 'ipset',
    name: 'Linux ipset with its default size',
    recordsMax: 65_536,
    per: 'list',
    source: 'ipset(8): "maxelem … default 65536"',
    notes: 'Create the set with a higher maxelem and enter that with the device.',
  },
  {
    ...FIREWALL,
    id: 'nftables',
    name: 'Linux nftables',
    recordsMax: null,
    source: '',
    notes: 'Bounded by memory, unless the set was made with a size.',
  },
  {
    ...FIREWALL,
    id: 'pf',
    name: 'OpenBSD pf',
    recordsMax: 200_000,
    source: 'OpenBSD FAQ, PF: Runtime Options: "table-entries … Default is 200000"',
    notes: 'For all tables together; 100,000 with less than 100 MB of memory.',
  },
  {
    ...FIREWALL,
    id: 'pfsense',
    name: 'pfSense or OPNsense',
    recordsMax: null,
    source: '',
    notes:
      'The setting "Firewall Maximum Table Entries" counts all aliases together; its default depends on the release, so enter it with the device.',
  },
  {
    ...FIREWALL,
    id: 'fortigate',
    name: 'FortiGate, FortiOS 7.4.4 and later',
    recordsMax: 300_000,
    source:
      'docs.fortinet.com, FortiOS 7.4 New Features, "External resource entry limit enhancements 7.4.4": IP address 300 000 for every model range',
    notes: 'For all external feeds together. A file has at most 32, 64 or 128 MB, by model range.',
  },
  {
    ...FIREWALL,
    id: 'fortigate-7-4-3',
    name: 'FortiGate, FortiOS up to 7.4.3',
    recordsMax: 131_072,
    per: 'list',
    source:
      'community.fortinet.com, Technical Tip "External threat list resource entry limits": 10MB or 128K entries before 7.4.4',
    notes: 'For each external feed, which has at most 10 MB.',
  },
  {
    ...FIREWALL,
    id: 'fortigate-fqdn',
    name: 'FortiGate with an FQDN address object',
    recordsMax: 1_000,
    counts: 'hosts',
    per: 'list',
    source: 'unverified: no page of the maker could be opened',
    notes: 'Resolves <page>.hosts names into single addresses.',
  },
  {
    ...FIREWALL,
    id: 'pan-os',
    name: 'Palo Alto Networks, other series',
    recordsMax: 50_000,
    source:
      'docs.paloaltonetworks.com, PAN-OS 7.1 Web Interface Help, "Objects > External Dynamic Lists": 50,000 total IP addresses',
    notes:
      'For all external dynamic lists together. Read for PAN-OS 7.1: look up a newer series and enter its number with the device.',
  },
  {
    ...FIREWALL,
    id: 'pan-os-large',
    name: 'Palo Alto Networks, PA-5000 and PA-7000 series',
    recordsMax: 150_000,
    source:
      'docs.paloaltonetworks.com, PAN-OS 7.1 Web Interface Help, "Objects > External Dynamic Lists": 150,000 total IP addresses',
    notes:
      'For all external dynamic lists together. Read for PAN-OS 7.1: look up a newer series and enter its number with the device.',
  },
  {
    ...FIREWALL,
    id: 'sonicwall-tz',
    name: 'SonicWall TZ and NSv',
    recordsMax: 25_000,
    source:
      'sonicwall.com, SonicOS 8 Rules and Policies, "Configuring IoC IP Addresses File": TZ / NSv up to 25,000',
    notes: 'For all files of indicators together.',
  },
  {
    ...FIREWALL,
    id: 'sonicwall-nsa',
    name: 'SonicWall NSA',
    recordsMax: 50_000,
    source:
      'sonicwall.com, SonicOS 8 Rules and Policies, "Configuring IoC IP Addresses File": NSA up to 50,000',
    notes: 'For all files of indicators together.',
  },
  {
    ...FIREWALL,
    id: 'aws-waf',
    name: 'AWS WAF',
    recordsMax: 10_000,
    per: 'list',
    source:
      'docs.aws.amazon.com, AWS WAF Security Automations, "Deployment Considerations": 10,000 IP address ranges per IP match condition',
    notes: 'For each IP set, which holds addresses of one family.',
  },
  {
    ...FIREWALL,
    id: 'routeros',
    name: 'MikroTik RouterOS',
    recordsMax: null,
    source: '',
    notes: 'Bounded by memory: test with your router what it takes and enter it with the device.',
  },
  {
    ...FIREWALL,
    id: 'cisco',
    name: 'Cisco ASA, IOS or Secure Firewall',
    recordsMax: null,
    source: '',
    notes:
      'ASA and IOS take object groups from a script. Secure Firewall takes feeds of at most 500 MB; no number of entries is documented.',
  },
  {
    ...FIREWALL,
    id: 'juniper-srx',
    name: 'Juniper SRX',
    recordsMax: null,
    source: '',
    notes:
      'Dynamic addresses hold some hundred thousand prefixes, by platform: enter the number of yours with the device.',
  },
] as const satisfies readonly ProfileRow[];

/** What devices say that they are; `generic` when nothing fits. */
export type DeviceProfile = (typeof PROFILE_TABLE)[number]['id'];

/** One row of the table of models. */
export interface DeviceProfileRow extends ProfileRow {
  readonly id: DeviceProfile;
}

/** All known models, those that serve names first. */
export const DEVICE_PROFILE_TABLE: readonly DeviceProfileRow[] = PROFILE_TABLE;
export const DEVICE_PROFILES: readonly DeviceProfile[] = PROFILE_TABLE.map(({ id }) => id);

const ROWS: ReadonlyMap<string, DeviceProfileRow> = new Map(
  DEVICE_PROFILE_TABLE.map((row) => [row.id, row]),
);
const GENERIC: DeviceProfileRow = DEVICE_PROFILE_TABLE[0]!;

/** The row of a profile; that of `generic` for one that this version does not know. */
export function deviceProfile(id: string): DeviceProfileRow {
  return ROWS.get(id) ?? GENERIC;
}

/** What a device can take. */
export interface Capacity {
  /** Null when nobody knows or nothing bounds it. */
  readonly recordsMax: number | null;
  readonly counts: CapacityUnit;
  readonly per: 'device' | 'list';
  /** Who says so: the device's own setting, or its profile; null without a number. */
  readonly from: 'device' | 'profile' | null;
}

/** The device's own number comes before that of its profile. A DNS policy is counted in records. */
export function capacityOf(device: Pick<Device, 'type' | 'profile' | 'recordsMax'>): Capacity {
  const { recordsMax, counts, per } = deviceProfile(device.profile);
  const asked = counts === 'records' ? 'prefixes' : counts;
  const unit: CapacityUnit = device.type === 'ip' ? asked : 'records';
  if (device.recordsMax !== null) {
    return { recordsMax: device.recordsMax, counts: unit, per, from: 'device' };
  }
  return { recordsMax, counts: unit, per, from: recordsMax === null ? null : 'profile' };
}

/** How large what a policy publishes is, in each of the units that devices count in. */
export interface PolicySize {
  /** Resource records of all its zones, each SOA counted once. */
  readonly records: number;
  /** Of an IP policy: the block and the allow list. Empty for a DNS policy. */
  readonly lists: readonly { readonly prefixes: number; readonly hosts: number }[];
}

/** How much of a device's capacity a policy takes, in the unit of that capacity. */
export function sizeFor({ counts, per }: Capacity, { records, lists }: PolicySize): number {
  if (counts === 'records') return records;
  const sizes = lists.map((list) => list[counts]);
  return per === 'list' ? Math.max(0, ...sizes) : sizes.reduce((sum, size) => sum + size, 0);
}

/** How far a policy of this size is above what the device can take; 0 when it fits or nobody knows. */
export function excessOf(
  device: Pick<Device, 'type' | 'profile' | 'recordsMax'>,
  size: PolicySize,
): number {
  const capacity = capacityOf(device);
  if (capacity.recordsMax === null) return 0;
  return Math.max(0, sizeFor(capacity, size) - capacity.recordsMax);
}

/** One sentence for each device that a policy of this size is too large for, and by how much. */
export function capacityWarnings(
  policy: { readonly name: string },
  devices: Iterable<Pick<Device, 'name' | 'type' | 'profile' | 'recordsMax'>>,
  size: PolicySize,
): string[] {
  return [...devices].flatMap((device) => {
    const over = excessOf(device, size);
    if (over === 0) return [];
    const { recordsMax, counts, per } = capacityOf(device);
    const each = per === 'list' && counts !== 'records' ? ` in a list` : '';
    return [
      `Device "${device.name}" takes ${recordsMax} ${counts}${each}; policy "${policy.name}" is ${over} above that.`,
    ];
  });
}
