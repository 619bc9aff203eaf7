import { type Name, parseName } from '../dns/name.ts';
import { encodeRdata } from '../dns/rdata.ts';
import { RRTYPE } from '../dns/registry.ts';
import type { Serial } from '../dns/serial.ts';
import type { IpContent } from './ip-content.ts';
import { countIpRecords } from './ip-records.ts';
import { countAddresses } from './prefix-rows.ts';
import { NO_LABELS, type RelativeRrset } from './records.ts';
import type { ZoneBody, ZoneSettings, ZoneSnapshot } from './snapshot.ts';

const LOCALHOST = parseName('localhost.');

/** RFC 9432 section 4: a catalog zone is not for resolving, and this name says so. */
const INVALID = parseName('invalid.');

/** SOA and NS. */
const APEX_RECORDS_PLAIN = 2;
/** SOA, NS and TXT. */
const APEX_RECORDS_IP = 3;

/** A zone with one serial, as far as its apex goes. */
export type ZoneApex = Pick<ZoneSnapshot, 'settings' | 'serial' | 'body' | 'digest'>;

export function soaRrset(settings: ZoneSettings, serial: Serial): RelativeRrset {
  const { primary, hostmaster, refresh, retry, expire, minimum } = settings;
  const rdata = encodeRdata({
    type: 'SOA',
    mname: primary,
    rname: hostmaster,
    serial,
    refresh,
    retry,
    expire,
    minimum,
  });
  return { labels: NO_LABELS, type: RRTYPE.SOA, ttl: settings.apexTtl, rdatas: [rdata] };
}

/**
 * What else the apex has. An RPZ zone has one NS and nothing more: a TXT there becomes a rule for
 * the root with Unbound and PowerDNS, and without NS BIND refuses the zone (interop.md).
 */
export function apexRrsets(zone: ZoneApex): RelativeRrset[] {
  const { settings, body, digest } = zone;
  const target = nameServerOf(body, settings);
  const rrsets = [apexRrset(settings, RRTYPE.NS, encodeRdata({ type: 'NS', target }))];
  if (body.kind === 'ip') {
    const text = describeIpZone(zone, body);
    const txt = encodeRdata({ type: 'TXT', strings: [Buffer.from(text, 'latin1')] });
    rrsets.push(apexRrset(settings, RRTYPE.TXT, txt));
  }
  // RFC 8976 section 2: the digest of a zone stands at its apex.
  if (digest !== null) rrsets.push(apexRrset(settings, RRTYPE.ZONEMD, digest));
  return rrsets;
}

export function countApexRecords({ body, digest }: Pick<ZoneApex, 'body' | 'digest'>): number {
  const records = body.kind === 'ip' ? APEX_RECORDS_IP : APEX_RECORDS_PLAIN;
  return digest === null ? records : records + 1;
}

function nameServerOf({ kind }: ZoneBody, { primary }: ZoneSettings): Name {
  if (kind === 'rpz') return LOCALHOST;
  return kind === 'catalog' ? INVALID : primary;
}

type IpBody = Extract<ZoneBody, { readonly kind: 'ip' }>;

/** What a script checks a list against after it has pulled it. */
function describeIpZone(zone: ZoneApex, { side, content }: IpBody): string {
  const { serial } = zone;
  const counts = countIpRecords(content);
  const fields = {
    v: 1,
    side,
    serial,
    records: counts.records + countApexRecords(zone),
    addresses4: ipAddresses(content, 4),
    addresses6: ipAddresses(content, 6),
    prefixes4: counts.prefixes4,
    prefixes6: counts.prefixes6,
    pages4: counts.pages4,
    pages6: counts.pages6,
    hosts: counts.hosts,
    'hosts-left-out': content.hosts.leftOut,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** The exact number of addresses that a list holds. */
export function ipAddresses(content: IpContent, family: 4 | 6): bigint {
  const known = addressesOf[family].get(content) ?? countFamily(content, family);
  addressesOf[family].set(content, known);
  return known;
}

const addressesOf = {
  4: new WeakMap<IpContent, bigint>(),
  6: new WeakMap<IpContent, bigint>(),
};

function countFamily(content: IpContent, family: 4 | 6): bigint {
  return family === 4
    ? countAddresses(
        content.v4.map(({ prefixes }) => prefixes),
        1,
      )
    : countAddresses(
        content.v6.map(({ prefixes }) => prefixes),
        4,
      );
}

function apexRrset(settings: ZoneSettings, type: number, rdata: Uint8Array): RelativeRrset {
  return { labels: NO_LABELS, type, ttl: settings.apexTtl, rdatas: [rdata] };
}
