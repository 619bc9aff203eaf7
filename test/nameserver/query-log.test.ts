import { describe, expect, it } from 'vitest';
import { CLASS, EDNS_OPTION, parseName } from '../../src/dns/index.ts';
import type { QueryLog, QueryLogEntry } from '../../src/nameserver/query-log.ts';
import { makeQuery } from '../support/dns-query.ts';
import { CLIENT_ADDRESS, openHouse, tsigKeyOf } from '../support/house.ts';
import { addKeyed, addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');

async function openScene() {
  const entries: QueryLogEntry[] = [];
  const hook: { log: QueryLog | null } = { log: (entry) => entries.push(entry) };
  const house = await openHouse({ nameserver: { queryLog: () => hook.log } });
  let keyId = 0;
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    const policy = addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
    keyId = addKeyed(edit, 'signer', 'dns', policy);
  });
  return { house, entries, hook, key: tsigKeyOf(house, keyId) };
}

describe('the query log', () => {
  it('says who asked what, what was answered, and what it took', async () => {
    const { house, entries } = await openScene();
    const query = makeQuery(ZONE.toUpperCase(), 'SOA', { recursionDesired: true });
    const answer = house.handle(query.bytes);
    if (answer.kind !== 'message') throw new Error('an SOA is one message');
    expect(entries).toEqual([
      {
        name: ZONE.toUpperCase(),
        type: 'SOA',
        class: 'IN',
        opcode: 'QUERY',
        protocol: 'udp',
        address: CLIENT_ADDRESS,
        port: 5353,
        keyName: null,
        tsigError: null,
        rcode: 'NOERROR',
        truncated: false,
        answerOctets: answer.bytes.length,
        microseconds: expect.any(Number),
        recursionDesired: true,
        edns: null,
      },
    ]);
    expect(entries[0].microseconds).toBeGreaterThanOrEqual(0);
  });

  it('has the facts of EDNS', async () => {
    const { house, entries } = await openScene();
    const options = [{ code: EDNS_OPTION.COOKIE, data: new Uint8Array(8) }];
    house.ask(ZONE, 'SOA', { edns: { udpPayloadSize: 1400, dnssecOk: true, options } });
    house.ask(ZONE, 'SOA', { edns: { version: 1 } });
    expect(entries.map(({ edns, rcode }) => ({ ...edns, rcode }))).toEqual([
      { version: 0, udpPayloadSize: 1400, dnssecOk: true, cookie: true, rcode: 'NOERROR' },
      { version: 1, udpPayloadSize: 1232, dnssecOk: false, cookie: false, rcode: 'BADVERS' },
    ]);
  });

  it('names the key, and what was wrong with a signature', async () => {
    const { house, entries, key } = await openScene();
    house.ask(ZONE, 'SOA', { key });
    house.ask(ZONE, 'SOA', { key: { ...key, secret: new Uint8Array(32) } });
    house.ask(ZONE, 'SOA', { key: { ...key, name: parseName('nobody.example.') } });
    expect(entries).toMatchObject([
      { keyName: key.text, tsigError: null, rcode: 'NOERROR' },
      { keyName: key.text, tsigError: 'BADSIG', rcode: 'NOTAUTH' },
      { keyName: 'nobody.example.', tsigError: 'BADKEY', rcode: 'NOTAUTH' },
    ]);
  });

  it('has transfers when they are opened, refusals, other classes, and what is no message', async () => {
    const { house, entries } = await openScene();
    house.transfer(ZONE, { protocol: 'tls' });
    house.ask('www.example.', 'A');
    house.ask('version.bind.', 'TXT', { class: CLASS.CH });
    house.handle(makeQuery(ZONE, 'SOA').bytes.slice(0, 14));
    house.handle(new Uint8Array(5));
    expect(entries).toMatchObject([
      { type: 'AXFR', protocol: 'tls', rcode: 'NOERROR', answerOctets: null },
      { name: 'www.example.', rcode: 'REFUSED' },
      { class: 'CH', rcode: 'REFUSED' },
      { name: null, type: null, class: null, opcode: 'QUERY', rcode: 'FORMERR' },
      { name: null, opcode: null, rcode: null, answerOctets: null },
    ]);
  });

  it('can be switched at any time', async () => {
    const { house, entries, hook } = await openScene();
    const { log } = hook;
    hook.log = null;
    house.ask(ZONE, 'SOA');
    expect(entries).toEqual([]);
    hook.log = log;
    house.ask(ZONE, 'SOA');
    expect(entries).toHaveLength(1);
  });
});
