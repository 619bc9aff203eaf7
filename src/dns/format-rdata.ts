import { formatIpv4, formatIpv6 } from './address.ts';
import { formatAplItem } from './apl.ts';
import { formatName } from './name.ts';
import { decodeRdata, type Rdata } from './rdata.ts';
import { ednsOptionName, tsigErrorName } from './registry.ts';

/**
 * Rdata (uncompressed, without its length) as zone files and `dig` write it. A type without a form
 * here, and rdata that does not fit its type, is written by RFC 3597 section 5: `\# 3 010203`.
 */
export function formatRdata(type: number, wire: Uint8Array): string {
  const rdata = decodeRdata(type, wire, 0, wire.length);
  return rdata === null ? formatUnknown(wire) : formatKnown(rdata);
}

function formatKnown(rdata: Rdata): string {
  switch (rdata.type) {
    case 'A':
      return formatIpv4(rdata.address);
    case 'AAAA':
      return formatIpv6(rdata.address);
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return formatName(rdata.target);
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = rdata;
      const names = `${formatName(mname)} ${formatName(rname)}`;
      return `${names} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case 'MX':
      return `${rdata.preference} ${formatName(rdata.exchange)}`;
    case 'TXT':
      return rdata.strings.map(formatString).join(' ');
    case 'APL':
      return rdata.items.map(formatAplItem).join(' ');
    case 'ZONEMD':
      return `${rdata.serial} ${rdata.scheme} ${rdata.hashAlgorithm} ${hex(rdata.digest)}`;
    case 'OPT':
      // No RFC gives OPT a presentation form; this one is for logs.
      return rdata.options
        .map(({ code, data }) => `${ednsOptionName(code)}=${hex(data)}`)
        .join(' ');
    case 'TSIG':
      return formatTsig(rdata);
    case 'unknown':
      return formatUnknown(rdata.bytes);
  }
}

/** In quotes, so that spaces need no escape (RFC 1035 section 5.1). */
function formatString(octets: Uint8Array): string {
  let text = '';
  for (const octet of octets) {
    const character = String.fromCharCode(octet);
    if (octet < 0x20 || octet > 0x7e) text += `\\${String(octet).padStart(3, '0')}`;
    else text += character === '"' || character === '\\' ? `\\${character}` : character;
  }
  return `"${text}"`;
}

/** As `dig` shows it: RFC 8945 says that TSIG records have no form in zone files. */
function formatTsig(rdata: Extract<Rdata, { type: 'TSIG' }>): string {
  const { algorithm, timeSigned, fudge, mac, originalId, error, otherData } = rdata;
  const macFields = mac.length === 0 ? '0' : `${mac.length} ${base64(mac)}`;
  const other = otherData.length === 0 ? '0' : `${otherData.length} ${base64(otherData)}`;
  const fields = [formatName(algorithm), timeSigned, fudge, macFields, originalId];
  return `${fields.join(' ')} ${tsigErrorName(error)} ${other}`;
}

function formatUnknown(octets: Uint8Array): string {
  return octets.length === 0 ? '\\# 0' : `\\# ${octets.length} ${hex(octets)}`;
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('hex');
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64');
}
