/** The twelve octets in front of every message (RFC 1035 section 4.1.1). */
export const HEADER_OCTETS = 12;

/** What a sender says in a header; what is left out is 0. */
export interface HeaderFields {
  readonly id: number;
  readonly isResponse?: boolean;
  readonly opcode?: number;
  readonly authoritative?: boolean;
  readonly truncated?: boolean;
  readonly recursionDesired?: boolean;
  readonly recursionAvailable?: boolean;
  /** AD and CD, RFC 4035 section 3.2. */
  readonly authenticData?: boolean;
  readonly checkingDisabled?: boolean;
  /** Values above 15 also go into the OPT record (RFC 6891 section 6.1.3). */
  readonly rcode?: number;
}

const QR = 0x8000;
const AA = 0x0400;
const TC = 0x0200;
const RD = 0x0100;
const RA = 0x0080;
const AD = 0x0020;
const CD = 0x0010;

/** The second 16 bits of a header. */
export function headerFlags(header: HeaderFields): number {
  return (
    (header.isResponse ? QR : 0) |
    (((header.opcode ?? 0) & 0xf) << 11) |
    (header.authoritative ? AA : 0) |
    (header.truncated ? TC : 0) |
    (header.recursionDesired ? RD : 0) |
    (header.recursionAvailable ? RA : 0) |
    (header.authenticData ? AD : 0) |
    (header.checkingDisabled ? CD : 0) |
    ((header.rcode ?? 0) & 0xf)
  );
}

/** The fields of a header's second 16 bits; the Z bit is ignored. */
export function readHeaderFlags(flags: number) {
  return {
    isResponse: (flags & QR) !== 0,
    opcode: (flags >>> 11) & 0xf,
    authoritative: (flags & AA) !== 0,
    truncated: (flags & TC) !== 0,
    recursionDesired: (flags & RD) !== 0,
    recursionAvailable: (flags & RA) !== 0,
    authenticData: (flags & AD) !== 0,
    checkingDisabled: (flags & CD) !== 0,
    rcode: flags & 0xf,
  };
}
