import fc from 'fast-check';
import type { Message, ResourceRecord } from '../../src/dns/message.ts';
import { concatName, type Name, ROOT_NAME } from '../../src/dns/name.ts';
import type { Rdata } from '../../src/dns/rdata.ts';
import { encodeRdata, rdataTypeCode } from '../../src/dns/rdata.ts';
import { serial } from '../../src/dns/serial.ts';

/** What a name, a record or a message can be, for property tests. */

export const uint8 = fc.integer({ min: 0, max: 0xff });
export const uint16 = fc.integer({ min: 0, max: 0xffff });
export const uint32 = fc.integer({ min: 0, max: 0xffffffff });

export const octets = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Uint8Array.from(array));

const anyLabel = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'A', 'b', 'www', 'WWW', 'example', 'Example', '*') },
  { weight: 1, arbitrary: octets(1, 63) },
);

function nameOf(labels: readonly (string | Uint8Array)[]): Name {
  let name = ROOT_NAME;
  for (const label of labels) {
    const text = typeof label === 'string' ? Uint8Array.from(Buffer.from(label)) : label;
    if (name.length + 1 + text.length > 255) return name;
    name = concatName(Uint8Array.of(text.length, ...text), name);
  }
  return name;
}

/** Names of few and often equal labels, so that suffixes repeat, some of them with binary labels. */
export const name: fc.Arbitrary<Name> = fc.array(anyLabel, { maxLength: 8 }).map(nameOf);

/** Names up to the limits: many labels, or long ones. */
export const longName: fc.Arbitrary<Name> = fc
  .oneof(
    fc.array(octets(1, 1), { minLength: 100, maxLength: 127 }),
    fc.array(octets(40, 63), { minLength: 3, maxLength: 6 }),
  )
  .map(nameOf);

const aplItem = fc.oneof(
  fc.record({
    family: fc.constant(1 as const),
    prefixLength: fc.integer({ min: 0, max: 32 }),
    negated: fc.boolean(),
    address: octets(4, 4),
  }),
  fc.record({
    family: fc.constant(2 as const),
    prefixLength: fc.integer({ min: 0, max: 128 }),
    negated: fc.boolean(),
    address: octets(16, 16),
  }),
);

/** Rdata of every type with a presentation form in zone files. */
export const zoneRdata: fc.Arbitrary<Rdata> = fc.oneof(
  fc.record({ type: fc.constant('A' as const), address: octets(4, 4) }),
  fc.record({ type: fc.constant('AAAA' as const), address: octets(16, 16) }),
  fc.record({
    type: fc.constantFrom('NS' as const, 'CNAME' as const, 'PTR' as const),
    target: name,
  }),
  fc.record({
    type: fc.constant('SOA' as const),
    mname: name,
    rname: name,
    serial: uint32.map(serial),
    refresh: uint32,
    retry: uint32,
    expire: uint32,
    minimum: uint32,
  }),
  fc.record({ type: fc.constant('MX' as const), preference: uint16, exchange: name }),
  fc.record({
    type: fc.constant('TXT' as const),
    strings: fc.array(octets(0, 255), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ type: fc.constant('APL' as const), items: fc.array(aplItem, { maxLength: 6 }) }),
  fc.record({
    type: fc.constant('ZONEMD' as const),
    serial: uint32.map(serial),
    scheme: uint8,
    hashAlgorithm: uint8,
    digest: octets(12, 64),
  }),
  fc.record({
    type: fc.constant('unknown' as const),
    code: fc.integer({ min: 65280, max: 65535 }),
    bytes: octets(0, 40),
  }),
);

const ednsOption = fc.record({ code: uint16, data: octets(0, 20) });

const tsigRdata = fc.record({
  type: fc.constant('TSIG' as const),
  algorithm: name,
  timeSigned: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  fudge: uint16,
  mac: octets(0, 64),
  originalId: uint16,
  error: uint16,
  otherData: octets(0, 6),
});

export const rdata: fc.Arbitrary<Rdata> = fc.oneof(
  { weight: 8, arbitrary: zoneRdata },
  fc.record({ type: fc.constant('OPT' as const), options: fc.array(ednsOption, { maxLength: 4 }) }),
  tsigRdata,
);

export const record: fc.Arbitrary<ResourceRecord> = fc
  .record({
    name,
    class: fc.constantFrom(1, 3, 254),
    ttl: fc.integer({ min: 0, max: 0x7fffffff }),
    rdata: zoneRdata,
  })
  .map(({ rdata: content, ...fields }) => ({
    ...fields,
    type: rdataTypeCode(content),
    rdata: encodeRdata(content),
  }));

/** A message without TSIG, as `readMessage` gives it. */
export const message: fc.Arbitrary<Message> = fc
  .record({
    id: uint16,
    isResponse: fc.boolean(),
    opcode: fc.integer({ min: 0, max: 15 }),
    authoritative: fc.boolean(),
    truncated: fc.boolean(),
    recursionDesired: fc.boolean(),
    recursionAvailable: fc.boolean(),
    authenticData: fc.boolean(),
    checkingDisabled: fc.boolean(),
    headerRcode: fc.integer({ min: 0, max: 15 }),
    questions: fc.array(fc.record({ name, type: uint16, class: uint16 }), { maxLength: 2 }),
    answers: fc.array(record, { maxLength: 6 }),
    authorities: fc.array(record, { maxLength: 3 }),
    additionals: fc.array(record, { maxLength: 3 }),
    edns: fc.option(
      fc.record({
        udpPayloadSize: fc.integer({ min: 512, max: 0xffff }),
        version: fc.constant(0),
        dnssecOk: fc.boolean(),
        extendedRcode: uint8,
        options: fc.array(ednsOption, { maxLength: 3 }),
      }),
    ),
  })
  .map(({ headerRcode, edns, ...rest }) => ({
    ...rest,
    edns,
    rcode: ((edns?.extendedRcode ?? 0) << 4) | headerRcode,
    tsig: null,
  }));
