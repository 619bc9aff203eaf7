import { describe, expect, it } from 'vitest';
import { writeAddress } from '../../src/dns/address-octets.ts';
import {
  type CookieVerdict,
  cookieOption,
  EDNS_OPTION,
  ednsOption,
  judgeCookie,
  type Message,
  OPCODE,
  parseCookieSecrets,
  parseName,
  RCODE,
  type TsigKey,
} from '../../src/dns/index.ts';
import { createCookieSecrets } from '../../src/nameserver/cookie-secrets.ts';
import { hex } from '../dns/write-whole.ts';
import { makeHeader, makeQuery } from '../support/dns-query.ts';
import { CLIENT_ADDRESS, type House, openHouse, tsigKeyOf } from '../support/house.ts';
import { addKeyed, addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';
import { readAnswer } from '../support/transfer.ts';

const ZONE = zoneName('rpz', 'corp');
const SECRETS = parseCookieSecrets('e5e973e5a6b2a43f48e7dc849e37bfcf');
const CLIENT_COOKIE = hex('2464c4abcf10c957');

async function openScene(required = false): Promise<House> {
  const house = await openHouse({ nameserver: { cookies: { secrets: () => SECRETS, required } } });
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  return house;
}

const cookieEdns = (data: Uint8Array) => ({ options: [{ code: EDNS_OPTION.COOKIE, data }] });
const cookieIn = ({ edns }: Message) => ednsOption(edns, EDNS_OPTION.COOKIE);

/** The cookie that the server gives a client that has none of it yet. */
function learnCookie(house: House, from?: string): Uint8Array {
  const more = from === undefined ? {} : { from };
  const answer = house.ask(ZONE, 'SOA', { edns: cookieEdns(CLIENT_COOKIE), ...more });
  return cookieIn(answer) ?? new Uint8Array(0);
}

function octetsOf(address: string): Uint8Array {
  const octets = new Uint8Array(16);
  return octets.slice(0, writeAddress(address, octets));
}

function judged(options: {
  readonly cookie: string;
  readonly from: string;
  readonly at: number;
  readonly secrets: string;
}): CookieVerdict {
  const { cookie, from, at, secrets } = options;
  return judgeCookie(hex(cookie), {
    address: octetsOf(from),
    nowSeconds: at,
    secrets: parseCookieSecrets(secrets),
  });
}

function made(client: string, from: string, at: number, secrets: string): Uint8Array {
  return cookieOption(hex(client), {
    address: octetsOf(from),
    nowSeconds: at,
    secrets: parseCookieSecrets(secrets),
  }).data;
}

describe('RFC 9018 appendix A: test vectors', () => {
  const secrets = 'e5e973e5a6b2a43f48e7dc849e37bfcf';

  it('A.1: a new server cookie', () => {
    const from = '198.51.100.100';
    expect(judged({ cookie: '2464c4abcf10c957', from, at: 1559731985, secrets })).toBe(
      'client-only',
    );
    expect(made('2464c4abcf10c957', from, 1559731985, secrets)).toEqual(
      hex('2464c4abcf10c957010000005cf79f111f8130c3eee29480'),
    );
  });

  it('A.2: the same client, forty minutes later, gets another', () => {
    const cookie = '2464c4abcf10c957010000005cf79f111f8130c3eee29480';
    const from = '198.51.100.100';
    expect(judged({ cookie, from, at: 1559734385, secrets })).toBe('renew');
    expect(made('2464c4abcf10c957', from, 1559734385, secrets)).toEqual(
      hex('2464c4abcf10c957010000005cf7a871d4a564a1442aca77'),
    );
  });

  it('A.3: reserved octets are hashed as they came, and are zero in what is made here', () => {
    const cookie = 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5';
    const from = '203.0.113.203';
    expect(judged({ cookie, from, at: 1559727985 + 60, secrets })).toBe('valid');
    // Of another reserved octet the hash is another.
    const changed = cookie.replace('abcdef', 'abcdee');
    expect(judged({ cookie: changed, from, at: 1559727985 + 60, secrets })).toBe('bad');
    expect(made('fc93fc62807ddb86', from, 1559734700, secrets)).toEqual(
      hex('fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e'),
    );
  });

  it('A.4: an IPv6 client with a cookie of the secret before', () => {
    const cookie = '22681ab97d52c298010000005cf7c57926556bd0934c72f8';
    const from = '2001:db8:220:1:59de:d0f4:8769:82b8';
    const former = 'dd3bdf9344b678b185a6f5cb60fca715';
    const present = '445536bcd2513298075a5d379663c962';
    const both = `${present}\n${former}`;
    expect(judged({ cookie, from, at: 1559741817, secrets: former })).toBe('valid');
    expect(judged({ cookie, from, at: 1559741961, secrets: both })).toBe('renew');
    expect(judged({ cookie, from, at: 1559741961, secrets: present })).toBe('bad');
    expect(made('22681ab97d52c298', from, 1559741961, both)).toEqual(
      hex('22681ab97d52c298010000005cf7c609a6bb79d16625507a'),
    );
  });
});

describe('RFC 9018 section 4.3: the timestamp', () => {
  const from = '192.0.2.1';
  const secrets = '000102030405060708090a0b0c0d0e0f';
  const verdictAt = (madeAt: number, age: number) => {
    const cookie = Buffer.from(made('0102030405060708', from, madeAt, secrets)).toString('hex');
    return judged({ cookie, from, at: madeAt + age, secrets });
  };

  it.each([
    [-301, 'bad'],
    [-300, 'valid'],
    [0, 'valid'],
    [1800, 'valid'],
    [1801, 'renew'],
    [3600, 'renew'],
    [3601, 'bad'],
  ])('of a cookie that is %i seconds old makes it %s', (age, verdict) => {
    expect(verdictAt(1_900_000_000, age)).toBe(verdict);
  });

  it('is compared as a serial, so that cookies outlast the overflow of 2106', () => {
    expect(verdictAt(2 ** 32 - 60, 120)).toBe('valid');
    expect(verdictAt(2 ** 32 - 60, 4_000)).toBe('bad');
  });
});

describe('RFC 9018 section 4: server cookies', () => {
  it('are bound to the address, the client cookie and the secret', () => {
    const at = 1_900_000_000;
    const secrets = '000102030405060708090a0b0c0d0e0f';
    const cookie = Buffer.from(made('0102030405060708', '192.0.2.1', at, secrets)).toString('hex');
    expect(judged({ cookie, from: '192.0.2.1', at, secrets })).toBe('valid');
    expect(judged({ cookie, from: '192.0.2.2', at, secrets })).toBe('bad');
    expect(judged({ cookie, from: '2001:db8::1', at, secrets })).toBe('bad');
    const otherClient = cookie.replace(/^01/, '02');
    expect(judged({ cookie: otherClient, from: '192.0.2.1', at, secrets })).toBe('bad');
    const otherSecret = secrets.replace(/^00/, '01');
    expect(judged({ cookie, from: '192.0.2.1', at, secrets: otherSecret })).toBe('bad');
  });

  it('of another version or length are not ours', () => {
    const at = 1_900_000_000;
    const secrets = '000102030405060708090a0b0c0d0e0f';
    const cookie = Buffer.from(made('0102030405060708', '192.0.2.1', at, secrets)).toString('hex');
    const check = { from: '192.0.2.1', at, secrets };
    expect(judged({ ...check, cookie: cookie.replace(/^(.{16})01/, '$102') })).toBe('bad');
    expect(judged({ ...check, cookie: cookie.slice(0, 32) })).toBe('bad');
    expect(judged({ ...check, cookie: `${cookie}00` })).toBe('bad');
  });
});

describe('RFC 7873 section 5.2.1: no cookie', () => {
  it('is answered without one', async () => {
    const house = await openScene();
    expect(cookieIn(house.ask(ZONE, 'SOA', { edns: {} }))).toBeUndefined();
    expect(house.ask(ZONE, 'SOA').edns).toBeNull();
  });

  it('sends the client to TCP where cookies are required', async () => {
    const house = await openScene(true);
    const answer = house.ask(ZONE, 'SOA');
    expect(answer).toMatchObject({ rcode: RCODE.NOERROR, truncated: true, answers: [] });
    expect(house.ask(ZONE, 'SOA', { edns: {} })).toMatchObject({ truncated: true, answers: [] });
  });
});

describe('RFC 7873 section 5.2.2: malformed cookies', () => {
  it.each([0, 1, 7, 9, 15, 41])('of %i octets are answered with FORMERR', async (octets) => {
    const house = await openScene();
    const answer = house.ask(ZONE, 'SOA', { edns: cookieEdns(new Uint8Array(octets)) });
    expect(answer.rcode).toBe(RCODE.FORMERR);
    expect(answer.edns).not.toBeNull();
    expect(cookieIn(answer)).toBeUndefined();
  });

  it('do not matter to a server that does not answer cookies', async () => {
    const house = await openScene();
    const desk = house.openDesk({ cookies: undefined as never });
    const answer = desk.ask(ZONE, 'SOA', { edns: cookieEdns(new Uint8Array(3)) });
    expect(answer.rcode).toBe(RCODE.NOERROR);
    expect(cookieIn(answer)).toBeUndefined();
  });
});

describe('RFC 7873 section 5.2.3: a client cookie alone', () => {
  it('is answered as usual, with a server cookie for it', async () => {
    const house = await openScene();
    const answer = house.ask(ZONE, 'SOA', { edns: cookieEdns(CLIENT_COOKIE) });
    expect(answer.answers).toHaveLength(1);
    const cookie = cookieIn(answer);
    expect(cookie).toHaveLength(24);
    expect(cookie?.slice(0, 8)).toEqual(CLIENT_COOKIE);
  });

  it('gets BADCOOKIE and a good cookie over UDP where one is required, but not over TCP', async () => {
    const house = await openScene(true);
    const edns = cookieEdns(CLIENT_COOKIE);
    const refused = house.ask(ZONE, 'SOA', { edns });
    expect(refused).toMatchObject({ rcode: RCODE.BADCOOKIE, answers: [] });
    const good = cookieEdns(cookieIn(refused) ?? new Uint8Array(0));
    expect(house.ask(ZONE, 'SOA', { edns: good })).toMatchObject({ rcode: RCODE.NOERROR });
    for (const protocol of ['tcp', 'tls'] as const) {
      expect(house.ask(ZONE, 'SOA', { edns, protocol }).answers).toHaveLength(1);
      expect(house.ask(ZONE, 'SOA', { protocol }).answers).toHaveLength(1);
    }
  });

  it('of several in one query the first counts', async () => {
    const house = await openScene();
    const options = [CLIENT_COOKIE, new Uint8Array(8), new Uint8Array(1)];
    const edns = { options: options.map((data) => ({ code: EDNS_OPTION.COOKIE, data })) };
    const answer = house.ask(ZONE, 'SOA', { edns });
    expect(answer.rcode).toBe(RCODE.NOERROR);
    expect(cookieIn(answer)?.slice(0, 8)).toEqual(CLIENT_COOKIE);
    expect(answer.edns?.options).toHaveLength(1);
  });
});

describe('RFC 7873 section 5.2.4: a bad server cookie', () => {
  it('is answered as usual, with a good one', async () => {
    const house = await openScene();
    const stolen = learnCookie(house, '198.51.100.7');
    const answer = house.ask(ZONE, 'SOA', { edns: cookieEdns(stolen) });
    expect(answer).toMatchObject({ rcode: RCODE.NOERROR });
    expect(cookieIn(answer)).toEqual(learnCookie(house));
    expect(cookieIn(answer)).not.toEqual(stolen);
  });

  it('gets BADCOOKIE where a good one is required', async () => {
    const house = await openScene(true);
    const stolen = learnCookie(house, '198.51.100.7');
    const answer = house.ask(ZONE, 'SOA', { edns: cookieEdns(stolen) });
    expect(answer.rcode).toBe(RCODE.BADCOOKIE);
    expect(cookieIn(answer)).toEqual(learnCookie(house));
  });
});

describe('RFC 7873 section 5.2.5: a good server cookie', () => {
  it('comes back as it is until it is half an hour old', async () => {
    const house = await openScene(true);
    const cookie = learnCookie(house);
    house.time.now += 1_800_000;
    const kept = house.ask(ZONE, 'SOA', { edns: cookieEdns(cookie) });
    expect(cookieIn(kept)).toEqual(cookie);
    house.time.now += 1_000;
    const renewed = house.ask(ZONE, 'SOA', { edns: cookieEdns(cookie) });
    expect(renewed).toMatchObject({ rcode: RCODE.NOERROR });
    expect(cookieIn(renewed)).not.toEqual(cookie);
    expect(cookieIn(renewed)).toEqual(learnCookie(house));
  });

  it('is in refusals and transfers as in other answers', async () => {
    const house = await openScene(true);
    const from = '203.0.113.1';
    const edns = cookieEdns(learnCookie(house, from));
    const refused = house.ask(ZONE, 'SOA', { edns, from });
    expect(refused.rcode).toBe(RCODE.REFUSED);
    expect(cookieIn(refused)).toEqual(edns.options[0]?.data);
    const own = cookieEdns(learnCookie(house));
    expect(cookieIn(house.transfer(ZONE, { edns: own }).messages[0])).toEqual(own.options[0]?.data);
  });
});

describe('RFC 7873 section 5.4: asking for a cookie', () => {
  const ask = (house: House, edns: { readonly options: readonly object[] } | null) => {
    const bare = makeHeader({ id: 7 });
    const withOpt = makeQuery('.', 'A', edns === null ? {} : { edns: edns as never }).bytes;
    // The header without the question, and the OPT record.
    const opt = edns === null ? new Uint8Array(0) : withOpt.slice(12 + 5);
    const octets = Buffer.concat([bare, opt]);
    octets[11] = edns === null ? 0 : 1;
    const answer = house.handle(octets);
    if (answer.kind !== 'message') throw new Error(`the answer is of kind ${answer.kind}`);
    return readAnswer(answer.bytes);
  };

  it('without a question gives one', async () => {
    const house = await openScene();
    const answer = ask(house, cookieEdns(CLIENT_COOKIE));
    expect(answer).toMatchObject({ rcode: RCODE.NOERROR, questions: [], answers: [] });
    expect(cookieIn(answer)).toEqual(learnCookie(house));
  });

  it('confirms a good one, and says BADCOOKIE to another', async () => {
    const house = await openScene();
    const cookie = learnCookie(house);
    expect(ask(house, cookieEdns(cookie)).rcode).toBe(RCODE.NOERROR);
    const bad = ask(house, cookieEdns(learnCookie(house, '198.51.100.7')));
    expect(bad.rcode).toBe(RCODE.BADCOOKIE);
    expect(cookieIn(bad)).toEqual(cookie);
  });

  it('without a cookie is FORMERR as ever', async () => {
    const house = await openScene();
    expect(ask(house, { options: [] }).rcode).toBe(RCODE.FORMERR);
    expect(ask(house, null).rcode).toBe(RCODE.FORMERR);
  });
});

describe('RFC 7873 section 6: cookies beside other signs of who asks', () => {
  it('are not asked of those who sign', async () => {
    const house = await openScene(true);
    let keyId = 0;
    await house.edit((edit) => {
      keyId = addKeyed(edit, 'signer', 'dns', 1 as never);
    });
    const key = tsigKeyOf(house, keyId);
    expect(house.ask(ZONE, 'SOA', { key }).answers).toHaveLength(1);
    const unknown: TsigKey = { ...key, name: parseName('unknown.example.') };
    expect(house.ask(ZONE, 'SOA', { key: unknown }).rcode).toBe(RCODE.NOTAUTH);
  });

  it('are not asked of those who notify', async () => {
    const house = await openScene(true);
    const answer = house.ask('elsewhere.example.', 'SOA', { opcode: OPCODE.NOTIFY });
    expect(answer.rcode).toBe(RCODE.NOTAUTH);
  });
});

describe('RFC 9018 section 5: secrets', () => {
  const scene = (fixed: string | null) => {
    const time = { now: Date.UTC(2030, 0, 31) };
    let made = 0;
    const holder = createCookieSecrets({
      fixed: fixed === null ? null : parseCookieSecrets(fixed),
      rotationMs: 86_400_000,
      clock: () => time.now,
      random: (octets) => new Uint8Array(octets).fill(++made),
    });
    return { time, holder };
  };
  const secret = (octet: number) => new Uint8Array(16).fill(octet);

  it('made here are replaced by time, and the one before is accepted for an hour', () => {
    const { time, holder } = scene(null);
    expect(holder.secrets()).toEqual({ active: secret(1), accepted: [] });
    time.now += 86_399_999;
    expect(holder.secrets()).toEqual({ active: secret(1), accepted: [] });
    time.now += 1;
    expect(holder.secrets()).toEqual({ active: secret(2), accepted: [secret(1)] });
    time.now += 3_600_000;
    expect(holder.secrets()).toEqual({ active: secret(2), accepted: [secret(1)] });
    time.now += 1;
    expect(holder.secrets()).toEqual({ active: secret(2), accepted: [] });
  });

  it('that were given stay until others are given', () => {
    const [one, two] = ['11'.repeat(16), '22'.repeat(16)];
    const { time, holder } = scene(one);
    time.now += 10 * 86_400_000;
    expect(holder.secrets()).toEqual({ active: secret(0x11), accepted: [] });
    holder.use(parseCookieSecrets(`# the next one\n${two}\n\n${one}\n`));
    expect(holder.secrets()).toEqual({ active: secret(0x22), accepted: [secret(0x11)] });
    holder.use(null);
    expect(holder.secrets()).toEqual({ active: secret(2), accepted: [] });
  });

  it.each([
    ['', 'there is no secret of 32 hexadecimal digits'],
    [`${'11'.repeat(16)}\nsecret\n`, 'line 2 is not a secret of 32 hexadecimal digits'],
    ['11'.repeat(15), 'line 1 is not a secret of 32 hexadecimal digits'],
    [`${'11'.repeat(16)}\n`.repeat(9), 'there are 9 secrets, and at most 8 may be'],
  ])('in the text %j are refused: %s', (text, message) => {
    expect(() => parseCookieSecrets(text)).toThrow(new Error(message));
  });

  it('of the client that asks are those of its address', async () => {
    const house = await openScene();
    expect(learnCookie(house, CLIENT_ADDRESS)).not.toEqual(learnCookie(house, '192.0.2.11'));
    expect(learnCookie(house, '2001:db8::1')).not.toEqual(learnCookie(house, '2001:db8::2'));
  });
});
