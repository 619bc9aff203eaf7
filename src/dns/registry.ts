/**
 * The IANA "Domain Name System (DNS) Parameters" registries: one table each, both directions
 * derived from it. A value without a name survives as its prefix and number (RFC 3597 section 5).
 */

/** Resource record TYPEs; 255 is written `*` in the registry and `ANY` by everyone's tools. */
export const RRTYPE = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  'NSAP-PTR': 23,
  SIG: 24,
  KEY: 25,
  PX: 26,
  GPOS: 27,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  SRV: 33,
  ATMA: 34,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  A6: 38,
  DNAME: 39,
  SINK: 40,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  DSYNC: 66,
  SPF: 99,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
  AVC: 258,
  DOA: 259,
  AMTRELAY: 260,
  RESINFO: 261,
  TA: 32768,
  DLV: 32769,
} as const;

/** CLASSes and the QCLASSes NONE (RFC 2136) and ANY. */
export const CLASS = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

export const OPCODE = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5, DSO: 6 } as const;

/**
 * RCODEs of the header, of EDNS (12 bits, RFC 6891 section 6.1.3) and the errors of TSIG (RFC 8945
 * section 4.2). 16 has two meanings: BADVERS in a message, BADSIG in a TSIG record.
 */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  DSOTYPENI: 11,
  BADVERS: 16,
  BADSIG: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADMODE: 19,
  BADNAME: 20,
  BADALG: 21,
  BADTRUNC: 22,
  BADCOOKIE: 23,
} as const;

/** EDNS(0) option codes. */
export const EDNS_OPTION = {
  LLQ: 1,
  UL: 2,
  NSID: 3,
  DAU: 5,
  DHU: 6,
  N3U: 7,
  ECS: 8,
  EXPIRE: 9,
  COOKIE: 10,
  KEEPALIVE: 11,
  PADDING: 12,
  CHAIN: 13,
  'KEY-TAG': 14,
  EDE: 15,
  'CLIENT-TAG': 16,
  'SERVER-TAG': 17,
  'REPORT-CHANNEL': 18,
  ZONEVERSION: 19,
} as const;

/** Extended DNS error codes (RFC 8914 section 5.2), spelled as the registry's purposes. */
export const EXTENDED_ERROR = {
  OTHER: 0,
  'UNSUPPORTED-DNSKEY-ALGORITHM': 1,
  'UNSUPPORTED-DS-DIGEST-TYPE': 2,
  'STALE-ANSWER': 3,
  'FORGED-ANSWER': 4,
  'DNSSEC-INDETERMINATE': 5,
  'DNSSEC-BOGUS': 6,
  'SIGNATURE-EXPIRED': 7,
  'SIGNATURE-NOT-YET-VALID': 8,
  'DNSKEY-MISSING': 9,
  'RRSIGS-MISSING': 10,
  'NO-ZONE-KEY-BIT-SET': 11,
  'NSEC-MISSING': 12,
  'CACHED-ERROR': 13,
  'NOT-READY': 14,
  BLOCKED: 15,
  CENSORED: 16,
  FILTERED: 17,
  PROHIBITED: 18,
  'STALE-NXDOMAIN-ANSWER': 19,
  'NOT-AUTHORITATIVE': 20,
  'NOT-SUPPORTED': 21,
  'NO-REACHABLE-AUTHORITY': 22,
  'NETWORK-ERROR': 23,
  'INVALID-DATA': 24,
} as const;

const types = directions('TYPE', RRTYPE, 0xffff);
const classes = directions('CLASS', CLASS, 0xffff);
const opcodes = directions('OPCODE', OPCODE, 0xf);
const rcodes = directions('RCODE', RCODE, 0xffff);
const options = directions('OPT', EDNS_OPTION, 0xffff);
const extendedErrors = directions('EDE', EXTENDED_ERROR, 0xffff);

/** The mnemonic, or `TYPE65280`. */
export const rrtypeName = types.nameOf;
/** Mnemonic or `TYPEn` in any case; undefined when it is neither. */
export const rrtypeCode = types.codeOf;
export const className = classes.nameOf;
export const classCode = classes.codeOf;
export const opcodeName = opcodes.nameOf;
export const opcodeCode = opcodes.codeOf;
/** A message's RCODE: 16 is BADVERS. */
export const rcodeName = rcodes.nameOf;
export const rcodeCode = rcodes.codeOf;
export const ednsOptionName = options.nameOf;
export const ednsOptionCode = options.codeOf;
export const extendedErrorName = extendedErrors.nameOf;
export const extendedErrorCode = extendedErrors.codeOf;

/** The error field of a TSIG record: 16 is BADSIG (RFC 8945 section 4.2). */
export function tsigErrorName(code: number): string {
  return code === RCODE.BADSIG ? 'BADSIG' : rcodeName(code);
}

interface Directions {
  nameOf(code: number): string;
  codeOf(text: string): number | undefined;
}

function directions(
  prefix: string,
  table: Readonly<Record<string, number>>,
  max: number,
): Directions {
  const codes = new Map(Object.entries(table));
  // Reversed, so that of two names of one value the first in the table stays.
  const names = new Map([...codes].reverse().map(([name, code]) => [code, name]));
  const unnamed = new RegExp(`^${prefix}(0|[1-9]\\d{0,4})$`);
  return {
    nameOf: (code) => names.get(code) ?? `${prefix}${code}`,
    codeOf: (text) => {
      const upper = text.toUpperCase();
      const known = codes.get(upper);
      if (known !== undefined) return known;
      const code = Number(unnamed.exec(upper)?.[1] ?? Number.NaN);
      return code <= max ? code : undefined;
    },
  };
}
