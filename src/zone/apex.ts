import { parseName } from '../dns/name.ts';
import { encodeRdata } from '../dns/rdata.ts';
import { RRTYPE } from '../dns/registry.ts';
import type { Serial } from '../dns/serial.ts';
import type { IpContent } from './ip-content.ts';
import { countIpRecords } from './ip-records.ts';
import { countAddresses } from './prefix-rows.ts';
import { NO_LABELS, type RelativeRrset } from './records.ts';
import type { ZoneBody, ZoneSettings } from './snapshot.ts';

const LOCALHOST = parseName('localhost.');

/** SOA and NS. */
const APEX_RECORDS_RPZ = 2;
/** SOA, NS and TXT. */
const APEX_RECORDS_IP = 3;

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
export function apexRrsets(
  settings: ZoneSettings,
  serial: Serial,
  body: ZoneBody,
): RelativeRrset[] {
  const target = body.kind === 'rpz' ? LOCALHOST : settings.primary;
  const ns = apexRrset(settings, RRTYPE.NS, encodeRdata({ type: 'NS', target }));
  if (body.kind === 'rpz') return [ns];
  const text = describeIpZone(body.side, serial, body.content);
  const txt = encodeRdata({ type: 'TXT', strings: [Buffer.from(text, 'latin1')] });
  return [ns, apexRrset(settings, RRTYPE.TXT, txt)];
}

export function countApexRecords(body: ZoneBody): number {
  return body.kind === 'rpz' ? APEX_RECORDS_RPZ : APEX_RECORDS_IP;
}

/** What a script checks a list against after it has pulled it. */
function describeIpZone(side: string, serial: Serial, content: IpContent): string {
  const counts = countIpRecords(content);
  const fields = {
    v: 1,
    side,
    serial,
    records: counts.records + APEX_RECORDS_IP,
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
