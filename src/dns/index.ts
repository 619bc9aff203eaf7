/**
 * The DNS codec: names, registries, rdata, messages, EDNS, TSIG, serials. Octets in, values out and
 * back; README.md lists what is implemented of which RFC.
 *
 * Here: everything that is true of any DNS program. Not here: sockets and framing (server/), what to
 * answer (nameserver/), what is in a zone (zone/). This room does no I/O and imports nothing but
 * node:crypto for HMAC; time comes in as an argument.
 */
export {
  formatIpv4,
  formatIpv6,
  IPV4_OCTETS,
  IPV6_OCTETS,
  isIpv4Mapped,
  parseIpv4,
  parseIpv6,
} from './address.ts';
export { APL_ITEM_OCTETS_MAX, type AplItem, writeAplItem } from './apl.ts';
export type { Brand } from './brand.ts';
export { COOKIE_SECRET_OCTETS, type CookieVerdict, cookieOption, judgeCookie } from './cookie.ts';
export { type CookieSecrets, parseCookieSecrets } from './cookie-secrets.ts';
export {
  EDNS_VERSION,
  type Edns,
  type EdnsOption,
  ednsOption,
  extendedErrorOption,
  OPT_OCTETS,
  UDP_OCTETS_MAX,
  udpResponseOctetsMax,
} from './edns.ts';
export { formatRdata } from './format-rdata.ts';
export { HEADER_OCTETS, type HeaderFields } from './header.ts';
export {
  isMalformed,
  type MalformedMessage,
  type Message,
  type Question,
  type ResourceRecord,
  readMessage,
} from './message.ts';
export { createMessageWriter, type MessageWriter, type Section } from './message-writer.ts';
export {
  compareNames,
  concatName,
  countLabels,
  formatName,
  isWithin,
  LABEL_OCTETS_MAX,
  lowerCaseName,
  NAME_OCTETS_MAX,
  type Name,
  NameError,
  type NameErrorCode,
  nameKey,
  namesEqual,
  parentName,
  parseName,
  ROOT_NAME,
  readName,
  relativeLabels,
} from './name.ts';
export type { EdnsFields } from './opt-record.ts';
export { parseRdata, RdataError } from './parse-rdata.ts';
export { decodeRdata, encodeRdata, type Rdata, rdataTypeCode, type SoaRdata } from './rdata.ts';
export {
  CLASS,
  classCode,
  className,
  EDNS_OPTION,
  EXTENDED_ERROR,
  ednsOptionCode,
  ednsOptionName,
  extendedErrorCode,
  extendedErrorName,
  OPCODE,
  opcodeCode,
  opcodeName,
  RCODE,
  RRTYPE,
  rcodeCode,
  rcodeName,
  rrtypeCode,
  rrtypeName,
  tsigErrorName,
} from './registry.ts';
export {
  addToSerial,
  compareSerials,
  isNewerSerial,
  SERIAL_STEP_MAX,
  type Serial,
  serial,
} from './serial.ts';
export * from './tsig.ts';
