import { describe, expect, it } from 'vitest';
import {
  CLASS,
  encodeRdata,
  parseName,
  type ResourceRecord,
  RRTYPE,
  serial,
} from '../../../src/dns/index.ts';
import {
  createTransferReader,
  type TransferEnd,
} from '../../../src/feeds/upstream/transfer-reader.ts';

const ZONE = parseName('up.example.');
const MAIL = parseName('host.example.');

function soa(at: number): ResourceRecord {
  const timers = { refresh: 1, retry: 1, expire: 1, minimum: 1 };
  const rdata = encodeRdata({
    type: 'SOA',
    mname: MAIL,
    rname: MAIL,
    serial: serial(at),
    ...timers,
  });
  return { name: ZONE, type: RRTYPE.SOA, class: CLASS.IN, ttl: 60, rdata };
}

function record(label: string): ResourceRecord {
  const name = parseName(`${label}.up.example.`);
  const rdata = encodeRdata({ type: 'CNAME', target: parseName('.') });
  return { name, type: RRTYPE.CNAME, class: CLASS.IN, ttl: 60, rdata };
}

/** What the sink is told, in order, and how the transfer ended. */
function follow(have: number | null, records: readonly ResourceRecord[]) {
  const told: string[] = [];
  const text = ({ name }: ResourceRecord) => Buffer.from(name.subarray(1, 2)).toString();
  const reader = createTransferReader(ZONE, have === null ? null : serial(have), {
    begin: (isWhole) => told.push(isWhole ? 'whole' : 'changes'),
    add: (added) => told.push(`+${text(added)}`),
    remove: (removed) => told.push(`-${text(removed)}`),
  });
  let end: TransferEnd | null = null;
  for (const each of records) end = reader.accept(each) ?? end;
  return { told: told.join(' '), end: end ?? reader.endOfMessage() };
}

describe('RFC 5936 section 2.2, an AXFR', () => {
  it('is the SOA, the zone and the SOA again', () => {
    expect(follow(null, [soa(5), record('a'), record('b'), soa(5)])).toEqual({
      told: 'whole +a +b',
      end: { serial: 5, isCurrent: false },
    });
  });

  it('may be of an empty zone', () => {
    expect(follow(null, [soa(5), soa(5)])).toEqual({
      told: 'whole',
      end: { serial: 5, isCurrent: false },
    });
  });

  it('that ends with another serial than it began with, or goes on behind its end, is refused', () => {
    expect(() => follow(null, [soa(5), record('a'), soa(6)])).toThrow('ends with serial 6');
    expect(() => follow(null, [soa(5), record('a'), soa(5), record('b')])).toThrow(
      'behind the end',
    );
    expect(() => follow(null, [record('a')])).toThrow('first record');
  });

  it('is not over without its last SOA', () => {
    expect(follow(null, [soa(5), record('a')]).end).toBeNull();
    expect(follow(null, [soa(5)]).end).toBeNull();
  });
});

describe('RFC 1995 section 4, an IXFR', () => {
  it('takes out what the old SOA leads and adds what the new one leads, step by step', () => {
    const steps = [soa(7), soa(5), record('a'), soa(6), record('b'), soa(6), soa(7), record('c')];
    expect(follow(5, [...steps, soa(7)])).toEqual({
      told: 'changes -a +b +c',
      end: { serial: 7, isCurrent: false },
    });
  });

  it('may be answered with the zone', () => {
    expect(follow(5, [soa(7), record('a'), soa(7)])).toEqual({
      told: 'whole +a',
      end: { serial: 7, isCurrent: false },
    });
  });

  it('is the SOA alone when there is nothing newer, also from a server that is behind', () => {
    expect(follow(5, [soa(5)])).toEqual({ told: '', end: { serial: 5, isCurrent: true } });
    expect(follow(5, [soa(4)])).toEqual({ told: '', end: { serial: 4, isCurrent: true } });
    // A newer SOA alone announces more.
    expect(follow(5, [soa(6)]).end).toBeNull();
  });

  it('whose steps do not join is refused', () => {
    expect(() => follow(5, [soa(7), soa(4)])).toThrow('begin at serial 4');
    const gap = [soa(9), soa(5), soa(6), record('a'), soa(7)];
    expect(() => follow(5, gap)).toThrow('a step begins at serial 7');
  });
});
