import {
  decodeRdata,
  formatName,
  lowerCaseName,
  type ResourceRecord,
  RRTYPE,
} from '../../src/dns/index.ts';

/** What a script gets out of an IP zone that it has transferred. */
export interface IpZone {
  /** The fields of the apex TXT. */
  readonly summary: ReadonlyMap<string, string>;
  /** Prefixes in text form, `1:192.0.2.0/24`, in the order of their pages. */
  readonly prefixes: readonly string[];
  readonly addresses4: bigint;
  readonly addresses6: bigint;
  /** Owners of APL RRsets, and how many records each has. */
  readonly pages: ReadonlyMap<string, number>;
  /** Pages that the index leads to, each as often as it is listed. */
  readonly indexed: readonly string[];
  /** How many levels the index has. */
  readonly levels: number;
  readonly hosts: number;
  /** The size of the largest RRset. */
  readonly largestRrset: number;
}

/** Reads the records of an AXFR of `block.…` or `allow.…`. */
export function readIpZone(zone: string, records: readonly ResourceRecord[]): IpZone {
  const rrsets = Map.groupBy(
    records.slice(0, -1),
    ({ name, type }) => `${type} ${formatName(lowerCaseName(name))}`,
  );
  const rrset = (type: number, owner: string) => rrsets.get(`${type} ${owner}`) ?? [];
  const pages = new Map(
    [...rrsets.keys()]
      .filter((key) => key.startsWith(`${RRTYPE.APL} `))
      .map((key) => [key.slice(`${RRTYPE.APL} `.length), rrsets.get(key)!.length]),
  );
  const families = (['v4', 'v6'] as const).map((family) =>
    followIndex(`index.${family}.${zone}`, (owner) => rrset(RRTYPE.PTR, owner).map(targetOf)),
  );
  const items = families.flatMap(({ pages }) =>
    pages.flatMap((page) => rrset(RRTYPE.APL, page).flatMap(itemsOf)),
  );
  return {
    summary: summaryOf(rrset(RRTYPE.TXT, zone)),
    prefixes: items.map(({ text }) => text),
    addresses4: addressesOf(items, 1),
    addresses6: addressesOf(items, 2),
    pages,
    indexed: families.flatMap(({ pages }) => pages),
    levels: Math.max(...families.map(({ levels }) => levels)),
    hosts: records.filter(({ type }) => type === RRTYPE.A || type === RRTYPE.AAAA).length,
    largestRrset: Math.max(...[...rrsets.values()].map(({ length }) => length)),
  };
}

/** The numbers that the apex TXT should have, counted from the records themselves. */
export function countedSummary(zone: IpZone, records: readonly ResourceRecord[]) {
  const prefixes = (family: string) =>
    zone.prefixes.filter((text) => text.startsWith(`${family}:`)).length;
  const pages = (family: string) =>
    [...zone.pages.keys()].filter((name) => name.split('.')[1] === family).length;
  return {
    // The SOA stands at both ends of a transfer and counts once.
    records: String(records.length - 1),
    addresses4: String(zone.addresses4),
    addresses6: String(zone.addresses6),
    prefixes4: String(prefixes('1')),
    prefixes6: String(prefixes('2')),
    pages4: String(pages('v4')),
    pages6: String(pages('v6')),
    hosts: String(zone.hosts),
  };
}

const LEVELS_MAX = 10;

/** A target inside the index is a group of further targets, any other is a page. */
function followIndex(
  top: string,
  targetsOf: (owner: string) => readonly string[],
): { readonly pages: string[]; readonly levels: number } {
  const pages: string[] = [];
  let groups = [top];
  let levels = 0;
  for (; groups.length > 0 && levels < LEVELS_MAX; levels++) {
    const targets = groups.flatMap(targetsOf);
    groups = targets.filter((target) => target.endsWith(`.${top}`));
    pages.push(...targets.filter((target) => !target.endsWith(`.${top}`)));
  }
  return { pages, levels };
}

function targetOf(record: ResourceRecord): string {
  const rdata = decodeRdata(record.type, record.rdata, 0, record.rdata.length);
  if (rdata?.type !== 'PTR') throw new Error('the index consists of PTR records');
  return formatName(lowerCaseName(rdata.target));
}

interface Item {
  readonly text: string;
  readonly family: 1 | 2;
  readonly prefixLength: number;
}

function itemsOf(record: ResourceRecord): Item[] {
  const rdata = decodeRdata(record.type, record.rdata, 0, record.rdata.length);
  if (rdata?.type !== 'APL') throw new Error('a page consists of APL records');
  return rdata.items.map(({ family, prefixLength, address }) => ({
    family,
    prefixLength,
    text: `${family}:${Buffer.from(address).toString('hex')}/${prefixLength}`,
  }));
}

function addressesOf(items: readonly Item[], family: 1 | 2): bigint {
  const bits = family === 1 ? 32 : 128;
  return items
    .filter((item) => item.family === family)
    .reduce((sum, { prefixLength }) => sum + (1n << BigInt(bits - prefixLength)), 0n);
}

function summaryOf([txt]: readonly ResourceRecord[]): Map<string, string> {
  if (txt === undefined) throw new Error('an IP zone has a TXT at its apex');
  const text = Buffer.from(txt.rdata.subarray(1)).toString('latin1');
  return new Map(text.split(' ').map((field) => field.split('=') as [string, string]));
}
