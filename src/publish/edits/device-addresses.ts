import {
  formatIpv4,
  formatIpv6,
  IPV4_OCTETS,
  isIpv4Mapped,
  parseIpv4,
  parseIpv6,
} from '../../dns/address.ts';
import type { NotifyEndpoint } from '../../policy/model.ts';
import type { Fields } from './fields.ts';
import { readHostName } from './host-name.ts';

export const SOURCES_MAX = 64;
export const HOSTNAMES_MAX = 16;
export const NOTIFY_ENDPOINTS_MAX = 8;
const HOST_NAME_TEXT_MAX = 255;
const DNS_PORT = 53;

/** Source prefixes in their normal form: host bits zero, `::ffff:0:0/96` as IPv4, no duplicates. */
export function readSources(fields: Fields, otherwise: readonly string[]): readonly string[] {
  const texts = fields.texts('sources', { itemsMax: SOURCES_MAX, lengthMax: 64, otherwise });
  const sources = new Set<string>();
  for (const text of texts) {
    const source = normalisePrefix(text);
    if (source === null) {
      const rule = `"${text}" is not an address or prefix, for example 192.0.2.1 or 2001:db8::/32.`;
      fields.refuse('address-form', 'sources', rule);
    } else if (source.endsWith('/0')) {
      fields.refuse(
        'address-unusable',
        'sources',
        `"${text}" is the whole address space: it would let in everybody.`,
      );
    } else sources.add(source);
  }
  return [...sources];
}

/** Host names whose addresses are sources too, absolute and in lower case, no duplicates. */
export function readHostNames(fields: Fields, otherwise: readonly string[]): readonly string[] {
  const texts = fields.texts('hostnames', {
    itemsMax: HOSTNAMES_MAX,
    lengthMax: HOST_NAME_TEXT_MAX,
    otherwise,
  });
  const names = new Set<string>();
  for (const text of texts) {
    const read = readHostName(text);
    if ('name' in read) names.add(`${read.name}.`);
    else fields.refuse('name-form', 'hostnames', read.rule);
  }
  return [...names];
}

/** Where NOTIFYs go: addresses, or host names, which are looked up. */
export function readNotify(
  fields: Fields,
  otherwise: readonly NotifyEndpoint[],
): readonly NotifyEndpoint[] {
  const items = fields.items('notify', { itemsMax: NOTIFY_ENDPOINTS_MAX, otherwise });
  const endpoints = new Map<string, NotifyEndpoint>();
  for (const [index, item] of items.entries()) {
    const endpoint = readEndpoint(fields, index, item);
    endpoints.set(`${endpoint.address} ${endpoint.port}`, endpoint);
  }
  return [...endpoints.values()];
}

/** Whether an endpoint of a NOTIFY is a host name, which has to be looked up. */
export function isHostName(address: string): boolean {
  return parseAddress(address) === null;
}

/** A plain text is the address alone. */
function readEndpoint(fields: Fields, index: number, item: unknown): NotifyEndpoint {
  const value = typeof item === 'string' ? { address: item } : item;
  const inner = fields.item('notify', index, value);
  const text = inner.text('address', { min: 1, max: HOST_NAME_TEXT_MAX });
  const port = inner.integer('port', { min: 1, max: 65_535, otherwise: DNS_PORT });
  const address = parseAddress(text);
  if (address === null) return { address: readEndpointName(inner, text), port };
  if (!isUnicast(address)) {
    inner.refuse('address-unusable', 'address', 'The address is one of a single host.');
  }
  return { address: formatAddress(address), port };
}

function readEndpointName(inner: Fields, text: string): string {
  const read = readHostName(text);
  if ('name' in read) return `${read.name}.`;
  if (text !== '') {
    const rule = `The address is an IPv4 or IPv6 literal or a host name; ${read.rule}`;
    inner.refuse('address-form', 'address', rule);
  }
  return text;
}

/** The address of one host in its normal form; null for anything else. */
export function normaliseHostAddress(text: string): string | null {
  const address = parseAddress(text);
  return address !== null && isUnicast(address) ? formatAddress(address) : null;
}

function parseAddress(text: string): Uint8Array | null {
  const address = parseIpv4(text) ?? parseIpv6(text);
  return address !== null && address.length !== IPV4_OCTETS && isIpv4Mapped(address)
    ? address.subarray(12)
    : address;
}

function formatAddress(address: Uint8Array): string {
  return address.length === IPV4_OCTETS ? formatIpv4(address) : formatIpv6(address);
}

function isUnicast(address: Uint8Array): boolean {
  if (address.every((octet) => octet === 0)) return false;
  // RFC 5771 and RFC 1112 section 4: 224.0.0.0/4 is multicast, 240.0.0.0/4 reserved or broadcast.
  if (address.length === IPV4_OCTETS) return address[0]! < 224;
  // RFC 4291 section 2.7: ff00::/8 is multicast.
  return address[0] !== 0xff;
}

function normalisePrefix(text: string): string | null {
  const [addressText, lengthText, ...rest] = text.split('/');
  const written = parseIpv4(addressText!) ?? parseIpv6(addressText!);
  if (written === null || rest.length > 0) return null;
  const bits = written.length * 8;
  const length = lengthText === undefined ? bits : readLength(lengthText, bits);
  if (length === null) return null;
  const mapped = bits === 128 && length >= 96 && isIpv4Mapped(written);
  const address = mapped ? written.slice(12) : written;
  const kept = mapped ? length - 96 : length;
  for (let bit = kept; bit < address.length * 8; bit++) {
    address[bit >> 3]! &= ~(0x80 >> (bit & 7));
  }
  return `${formatAddress(address)}/${kept}`;
}

function readLength(text: string, max: number): number | null {
  return /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) <= max ? Number(text) : null;
}
