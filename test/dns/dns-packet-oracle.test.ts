import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpv4, formatIpv6, isIpv4Mapped } from '../../src/dns/address.ts';
import { type ResourceRecord, readMessage } from '../../src/dns/message.ts';
import { formatName, type Name, parseName } from '../../src/dns/name.ts';
import { decodeRdata, type Rdata } from '../../src/dns/rdata.ts';
import { CLASS, rrtypeName } from '../../src/dns/registry.ts';
import { message as anyMessage } from './arbitraries.ts';
import { writeWhole } from './write-whole.ts';

/**
 * dns-packet is an oracle only where it is right: it turns labels into UTF-8 text, so names here
 * have printable labels without dots; it has no APL; it throws on options whose content it does not
 * expect; and classes and types that it does not know become text that cannot be compared.
 */
const comparable = new Set(['A', 'AAAA', 'NS', 'CNAME', 'PTR', 'SOA', 'MX', 'TXT']);
const isPlain = (name: Uint8Array) => /^[*A-Za-z0-9.-]*$/.test(formatName(name as Name));

/** dns-packet writes names without the final dot, and the root as a dot. */
const bare = (name: Name) => formatName(name).replace(/(?<=.)\.$/, '');

function asDnsPacket(record: ResourceRecord): unknown {
  const rdata = decodeRdata(record.type, record.rdata, 0, record.rdata.length) as Rdata;
  return {
    name: bare(record.name),
    type: rrtypeName(record.type),
    ttl: record.ttl,
    data: dataOf(rdata),
  };
}

function dataOf(rdata: Rdata): unknown {
  switch (rdata.type) {
    case 'A':
      return formatIpv4(rdata.address);
    case 'AAAA':
      return formatIpv6(rdata.address);
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return bare(rdata.target);
    case 'MX':
      return { preference: rdata.preference, exchange: bare(rdata.exchange) };
    case 'TXT':
      return rdata.strings.map((string) => Buffer.from(string));
    case 'SOA': {
      const { type: _, mname, rname, ...numbers } = rdata;
      return { mname: bare(mname), rname: bare(rname), ...numbers };
    }
    default:
      return null;
  }
}

function isComparable(record: ResourceRecord): boolean {
  const rdata = decodeRdata(record.type, record.rdata, 0, record.rdata.length);
  if (rdata === null || !comparable.has(rdata.type)) return false;
  if (record.class !== CLASS.IN || !isPlain(record.name)) return false;
  if (rdata.type === 'AAAA') return !isIpv4Mapped(rdata.address);
  return rdata.type === 'A' || Object.values(rdata).every(isPlainIfName);
}

const isPlainIfName = (value: unknown) => !(value instanceof Uint8Array) || isPlain(value);

describe('dns-packet', () => {
  it('reads what the writer wrote, compression included, as the reader does', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const answers = message.answers.filter(isComparable);
        const edns = message.edns && { ...message.edns, options: [] };
        const plain = {
          ...message,
          questions: [],
          answers,
          authorities: [],
          additionals: [],
          edns,
        };
        const decoded = dnsPacket.decode(Buffer.from(writeWhole(plain)));
        expect(decoded.id).toBe(message.id);
        expect(decoded.flag_aa).toBe(message.authoritative);
        expect(decoded.flag_tc).toBe(message.truncated);
        expect(decoded.answers).toMatchObject(answers.map(asDnsPacket));
      }),
    );
  });

  it('writes what the reader reads back', () => {
    const octets = dnsPacket.encode({
      type: 'query',
      id: 99,
      flags: dnsPacket.RECURSION_DESIRED,
      questions: [{ type: 'IXFR' as 'A', name: 'rpz.example', class: 'IN' }],
      authorities: [
        {
          type: 'SOA',
          name: 'rpz.example',
          ttl: 0,
          data: { mname: '.', rname: '.', serial: 7, refresh: 0, retry: 0, expire: 0, minimum: 0 },
        },
      ],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 4096,
          flags: dnsPacket.DNSSEC_OK,
          extendedRcode: 0,
          ednsVersion: 0,
          flag_do: true,
          options: [{ code: 3, type: 'OPTION_3', data: Buffer.from('ab') }],
        } as never,
      ],
    });
    expect(readMessage(octets)).toMatchObject({
      id: 99,
      recursionDesired: true,
      questions: [{ name: parseName('rpz.example.'), type: 251, class: 1 }],
      authorities: [{ name: parseName('rpz.example.'), type: 6 }],
      edns: {
        udpPayloadSize: 4096,
        dnssecOk: true,
        options: [{ code: 3, data: Uint8Array.of(0x61, 0x62) }],
      },
    });
  });
});
