import { describe, expect, it } from 'vitest';
import { formatRdata } from '../../src/dns/format-rdata.ts';
import { isMalformed, type Message, readMessage } from '../../src/dns/message.ts';
import { formatName, parseName } from '../../src/dns/name.ts';
import { parseRdata } from '../../src/dns/parse-rdata.ts';
import { encodeRdata } from '../../src/dns/rdata.ts';
import { CLASS, RRTYPE } from '../../src/dns/registry.ts';
import { signRequest } from '../../src/dns/tsig.ts';
import { hex, writeWhole } from './write-whole.ts';

const PACKETS = 100_000;

/** Mulberry32: a small generator, so that a failure is found again by its number. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) % below;
  };
}

/** An IXFR answer with compressed names, EDNS and TSIG: every branch of the reader. */
function sample(): Uint8Array {
  const record = (owner: string, type: keyof typeof RRTYPE, text: string) => ({
    name: parseName(owner),
    type: RRTYPE[type],
    class: CLASS.IN,
    ttl: 60,
    rdata: encodeRdata(parseRdata(RRTYPE[type], text)),
  });
  const zone = 'rpz.policy.account.sluice.internal.';
  const soa = record(zone, 'SOA', `ns.${zone} hostmaster.${zone} 5 900 300 1209600 60`);
  const message: Message = {
    id: 4711,
    isResponse: true,
    opcode: 0,
    authoritative: true,
    truncated: false,
    recursionDesired: false,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
    questions: [{ name: parseName(zone), type: RRTYPE.IXFR, class: CLASS.IN }],
    answers: [
      soa,
      record(`evil.example.${zone}`, 'CNAME', '.'),
      record(`*.evil.example.${zone}`, 'CNAME', 'rpz-passthru.'),
      record(`mail.${zone}`, 'MX', `10 mx.mail.${zone}`),
      record(`0.v4.${zone}`, 'APL', '1:192.0.2.0/24 !2:2001:db8::/32'),
      record(zone, 'TXT', '"v=1" "side=block"'),
      { ...soa, type: RRTYPE.SRV, rdata: Uint8Array.of(0, 1, 0, 2, 0, 3, ...parseName(zone)) },
    ],
    authorities: [record(zone, 'NS', `ns.${zone}`)],
    additionals: [
      record(`ns.${zone}`, 'A', '192.0.2.53'),
      record(`ns.${zone}`, 'AAAA', '2001:db8::53'),
    ],
    edns: {
      udpPayloadSize: 1232,
      version: 0,
      dnssecOk: false,
      extendedRcode: 0,
      options: [{ code: 3, data: hex('6162') }],
    },
    tsig: null,
  };
  const buffer = new Uint8Array(2048);
  const octets = writeWhole(message);
  buffer.set(octets);
  const key = { name: parseName('key.'), algorithm: 'hmac-sha256', secret: hex('00') } as const;
  return buffer.slice(0, signRequest({ buffer, length: octets.length, key, nowSeconds: 1 }).length);
}

/** A few octets changed, or some taken out, put in or cut off. */
function mutate(octets: Uint8Array, random: (below: number) => number): Uint8Array {
  const at = random(octets.length);
  switch (random(8)) {
    case 0:
      return octets.slice(0, at);
    case 1:
      return Uint8Array.of(...octets.subarray(0, at), ...octets.subarray(at + 1 + random(4)));
    case 2:
      return Uint8Array.of(...octets.subarray(0, at), random(256), ...octets.subarray(at));
    default: {
      const changed = octets.slice();
      for (let i = random(4); i >= 0; i -= 1) {
        // Pointers, lengths and counts break more than random octets do.
        const value = [random(256), 0xc0 | random(2), 0, 0xff, 0x3f][random(5)];
        changed[random(changed.length)] = value;
      }
      return changed;
    }
  }
}

describe('the message reader', () => {
  it('reads the sample that is mutated below', () => {
    expect(isMalformed(readMessage(sample()))).toBe(false);
  });

  it(`survives ${PACKETS} mutated packets, and what it reads can be shown and written again`, () => {
    const random = randomNumbers(20_251_121);
    const seed = sample();
    let packet = seed;
    let whole = 0;
    for (let i = 0; i < PACKETS; i += 1) {
      // Mutations pile up to four deep, then start anew.
      packet = mutate(i % 4 === 0 || packet.length === 0 ? seed : packet, random);
      const read = readMessage(packet);
      if (isMalformed(read)) continue;
      whole += 1;
      if (whole % 16 !== 0) continue;
      for (const record of [...read.answers, ...read.authorities, ...read.additionals]) {
        formatName(record.name);
        formatRdata(record.type, record.rdata);
      }
      const again = readMessage(writeWhole(read)) as Message;
      expect({ ...again, tsig: null }, `packet ${i}`).toEqual({ ...read, tsig: null });
    }
    // Neither all nor none: otherwise the mutations test one path only.
    expect(whole).toBeGreaterThan(PACKETS / 50);
    expect(whole).toBeLessThan(PACKETS / 2);
  });

  it('reads 64 KB of owners that each end a chain of pointers in bounded time', () => {
    // One record whose rdata is a chain of 126 pointers, then records whose owner starts at its end.
    const octets = new Uint8Array(65_520);
    octets.set(hex('0001 0000 0000 0000 0000 0000 00 ff00 0001 00000000 00fc'));
    for (let i = 0; i < 126; i += 1) {
      const target = i === 0 ? 12 : 23 + 2 * (i - 1);
      octets.set([0xc0 | (target >> 8), target & 0xff], 23 + 2 * i);
    }
    let end = 23 + 252;
    let records = 1;
    for (; end + 12 <= octets.length; end += 12, records += 1) {
      octets.set(hex('c111 ff00 0001 00000000 0000'), end);
    }
    octets.set([records >> 8, records & 0xff], 6);
    const started = performance.now();
    const read = readMessage(octets.subarray(0, end)) as Message;
    expect(performance.now() - started).toBeLessThan(200);
    expect(read.answers).toHaveLength(records);
    expect(read.answers[1].name).toEqual(parseName('.'));
  });
});
