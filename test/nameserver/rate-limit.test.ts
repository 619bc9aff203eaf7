import { describe, expect, it } from 'vitest';
import {
  EDNS_OPTION,
  ednsOption,
  type Message,
  parseCookieSecrets,
  parseName,
  RCODE,
} from '../../src/dns/index.ts';
import {
  createRateLimiter,
  LIMITED,
  type RateLimiter,
  type RateLimitOptions,
} from '../../src/nameserver/rate-limit.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { makeQuery } from '../support/dns-query.ts';
import { type AskOptions, type House, openHouse, tsigKeyOf } from '../support/house.ts';
import { addKeyed, addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';
import { readAnswer } from '../support/transfer.ts';

const RATE = 10;
/** Seconds of debt that a flood can run up. */
const WINDOW_SECONDS = 15;

const OPTIONS: RateLimitOptions = {
  answersPerSecond: RATE,
  slip: 0,
  ipv4PrefixLength: 24,
  ipv6PrefixLength: 56,
  exempt: [],
};

function openLimiter(options: Partial<RateLimitOptions> = {}, seed = 1) {
  const time = { now: 1_000_000 };
  const limiter = createRateLimiter({ ...OPTIONS, ...options }, { clock: () => time.now, seed });
  return { time, limiter };
}

const NAME = parseName('rpz.corp.example.');

/** How many of so many answers pass. */
function passing(limiter: RateLimiter, count: number, from = '192.0.2.1', name = NAME): number {
  let passed = 0;
  for (let i = 0; i < count; i += 1) {
    if (limiter.judge(from, LIMITED.answer, name) === 'pass') passed += 1;
  }
  return passed;
}

describe('the limit on answers to one network', () => {
  it('lets so many pass in a second', () => {
    const { time, limiter } = openLimiter();
    expect(passing(limiter, RATE + 1)).toBe(RATE);
    time.now += 10_000;
    expect(passing(limiter, RATE)).toBe(RATE);
  });

  it('never holds back a client that keeps to it', () => {
    const { time, limiter } = openLimiter();
    for (let second = 0; second < 100; second += 1) {
      expect(passing(limiter, RATE)).toBe(RATE);
      time.now += 1_000;
    }
    expect(limiter.counts()).toEqual({ dropped: 0, slipped: 0 });
  });

  it('lets nothing of a flood pass until it has been quiet for the length of the window', () => {
    const { time, limiter } = openLimiter();
    for (let second = 0; second < 30; second += 1) {
      expect(passing(limiter, 10 * RATE)).toBe(second === 0 ? RATE : 0);
      time.now += 1_000;
    }
    time.now += (WINDOW_SECONDS - 1) * 1_000 - 100;
    expect(passing(limiter, 1)).toBe(0);
    time.now += 500;
    expect(passing(limiter, 1)).toBe(1);
  });

  it('counts an IPv4 network by its first 24 bits and an IPv6 network by its first 56', () => {
    const { limiter } = openLimiter();
    expect(passing(limiter, RATE, '192.0.2.1')).toBe(RATE);
    expect(passing(limiter, RATE, '192.0.2.254')).toBe(0);
    expect(passing(limiter, RATE, '192.0.3.1')).toBe(RATE);
    expect(passing(limiter, RATE, '2001:db8:0:ab00::1')).toBe(RATE);
    expect(passing(limiter, RATE, '2001:db8:0:abff:ffff::1')).toBe(0);
    expect(passing(limiter, RATE, '2001:db8:0:ac00::1')).toBe(RATE);
  });

  it('counts IPv4 and IPv6 networks apart, though they begin with the same bits', () => {
    const { limiter } = openLimiter({ ipv4PrefixLength: 32, ipv6PrefixLength: 32 });
    expect(passing(limiter, RATE, '32.1.13.184')).toBe(RATE);
    expect(passing(limiter, RATE, '2001:db8::1')).toBe(RATE);
    expect(passing(limiter, 1, '32.1.13.184')).toBe(0);
  });

  it('counts by other lengths where they are set, also within an octet', () => {
    const { limiter } = openLimiter({ ipv4PrefixLength: 30, ipv6PrefixLength: 128 });
    expect(passing(limiter, RATE, '192.0.2.4')).toBe(RATE);
    expect(passing(limiter, RATE, '192.0.2.7')).toBe(0);
    expect(passing(limiter, RATE, '192.0.2.8')).toBe(RATE);
    expect(passing(limiter, RATE, '2001:db8::1')).toBe(RATE);
    expect(passing(limiter, RATE, '2001:db8::2')).toBe(RATE);
  });

  it('counts names apart, without regard to case, and kinds of answer apart', () => {
    const { limiter } = openLimiter();
    expect(passing(limiter, RATE)).toBe(RATE);
    expect(passing(limiter, RATE, '192.0.2.1', parseName('RPZ.Corp.EXAMPLE.'))).toBe(0);
    expect(passing(limiter, RATE, '192.0.2.1', parseName('rpz.other.example.'))).toBe(RATE);
    expect(limiter.judge('192.0.2.1', LIMITED.negative, NAME)).toBe('pass');
    expect(limiter.judge('192.0.2.1', LIMITED.refusal, null)).toBe('pass');
    expect(limiter.judge('192.0.2.1', LIMITED.error, null)).toBe('pass');
  });

  it('does not hold for exempt networks, nor count what they get', () => {
    const { limiter } = openLimiter({ exempt: ['192.0.2.64/26', '2001:db8::/32', '198.51.100.7'] });
    for (const exempt of ['192.0.2.64', '192.0.2.127', '2001:db8:ffff::1', '198.51.100.7']) {
      expect(passing(limiter, 5 * RATE, exempt)).toBe(5 * RATE);
    }
    expect(passing(limiter, 2 * RATE, '192.0.2.128')).toBe(RATE);
    expect(passing(limiter, 2 * RATE, '2001:db9::1')).toBe(RATE);
    expect(passing(limiter, 2 * RATE, '198.51.100.8')).toBe(RATE);
  });

  it('of 0 is none', () => {
    const { limiter } = openLimiter({ answersPerSecond: 0 });
    expect(passing(limiter, 10_000)).toBe(10_000);
  });

  it('changes while the server runs', () => {
    const { time, limiter } = openLimiter();
    expect(passing(limiter, 2 * RATE)).toBe(RATE);
    limiter.use({ ...OPTIONS, exempt: ['192.0.2.0/24'] });
    expect(passing(limiter, 5 * RATE)).toBe(5 * RATE);
    limiter.use({ ...OPTIONS, answersPerSecond: 3 });
    time.now += 60_000;
    expect(passing(limiter, RATE)).toBe(3);
  });

  it('is not lifted by a clock that was set back', () => {
    const { time, limiter } = openLimiter();
    expect(passing(limiter, RATE)).toBe(RATE);
    time.now -= 3_600_000;
    expect(passing(limiter, RATE)).toBe(0);
  });
});

describe('what slips through', () => {
  it.each([
    [1, 'slip slip slip slip slip slip'],
    [2, 'drop slip drop slip drop slip'],
    [3, 'drop drop slip drop drop slip'],
    [0, 'drop drop drop drop drop drop'],
  ])('is one of %i answers above the limit', (slip, expected) => {
    const { limiter } = openLimiter({ slip });
    passing(limiter, RATE);
    const verdicts = Array.from({ length: 6 }, () =>
      limiter.judge('192.0.2.1', LIMITED.answer, NAME),
    );
    expect(verdicts.join(' ')).toBe(expected);
    const slipped = verdicts.filter((verdict) => verdict === 'slip').length;
    expect(limiter.counts()).toEqual({ slipped, dropped: 6 - slipped });
  });
});

const BATCH_OCTETS_MAX = 100_000;
const COMPILED_MS_MAX = 10_000;

describe('the table of the limiter', () => {
  it('keeps networks apart: a thousand floods hold back none of a thousand others', () => {
    const { limiter } = openLimiter();
    const floods = Array.from({ length: 1_000 }, (_, i) => `10.${i >> 8}.${i & 255}.1`);
    for (const address of floods) passing(limiter, 2 * RATE, address);
    const others = Array.from({ length: 1_000 }, (_, i) => `172.${16 + (i >> 8)}.${i & 255}.1`);
    expect(others.map((address) => passing(limiter, RATE, address))).toEqual(
      others.map(() => RATE),
    );
    expect(floods.map((address) => passing(limiter, 1, address))).toEqual(floods.map(() => 0));
  });

  it('does not grow, and forgets those first that asked longest ago', () => {
    const { time, limiter } = openLimiter();
    const flood = () => passing(limiter, RATE, '192.0.2.1');
    expect(flood()).toBe(RATE);
    // Many more networks than there are buckets, while the flood goes on.
    for (let i = 0; i < 400_000; i += 1) {
      limiter.judge(`${11 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.1`, LIMITED.answer, NAME);
      if (i % 2_000 === 0) {
        time.now += 1;
        expect(flood()).toBe(0);
      }
    }
  });

  it('is laid out otherwise by another seed', () => {
    // Of so many networks some share a place; with another seed others do.
    const survivors = (seed: number): string => {
      const { limiter } = openLimiter({ answersPerSecond: 1 }, seed);
      const networks = Array.from({ length: 100_000 }, (_, i) => {
        return `${11 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.1`;
      });
      for (const network of networks) passing(limiter, 1, network);
      return networks.map((network) => passing(limiter, 1, network)).join('');
    };
    expect(survivors(1)).not.toBe(survivors(2));
    expect(survivors(1)).toBe(survivors(1));
  });

  it('allocates nothing for an answer', () => {
    const { limiter } = openLimiter({ exempt: ['198.51.100.0/24'] });
    const growthOf = (rounds: number) => {
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < rounds; i += 1) {
        limiter.judge('192.0.2.1', LIMITED.answer, NAME);
        limiter.judge('2001:db8::1', LIMITED.negative, NAME);
      }
      return process.memoryUsage().heapUsed - before;
    };
    // Before it is compiled in full, Node keeps every number with a fraction as an object: on a busy
    // machine that takes its time.
    let least = Number.POSITIVE_INFINITY;
    const deadline = performance.now() + COMPILED_MS_MAX;
    while (least >= BATCH_OCTETS_MAX && performance.now() < deadline) {
      const growth = growthOf(5_000);
      if (growth >= 0) least = Math.min(least, growth);
    }
    // One small object per answer would be 10,000 times at least 16 octets in each batch.
    expect(least).toBeLessThan(BATCH_OCTETS_MAX);
  });
});

describe('a nameserver with a limit', () => {
  const ZONE = zoneName('rpz', 'corp');
  const SECRETS = parseCookieSecrets('0123456789abcdef0123456789abcdef');

  const openScene = async (slip = 0) => {
    const { time, limiter } = openLimiter({ slip });
    const house = await openHouse({
      nameserver: {
        rateLimiter: limiter,
        cookies: { secrets: () => SECRETS, required: false },
      },
    });
    let keyId = 0;
    await house.edit((edit) => {
      const kits = addTarget(edit, 'kits', ['evil.example']);
      const policy = addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
      keyId = addKeyed(edit, 'signer', 'dns', policy);
    });
    return { house, time, limiter, key: tsigKeyOf(house, keyId) };
  };

  /** The answers to so many like questions; null for each that there is none to. */
  const flood = (
    house: House,
    name: string,
    type: 'SOA' | 'A' | 'IXFR',
    { count = RATE + 4, protocol = 'udp', from, ...more }: AskOptions & { count?: number } = {},
  ): (Message | null)[] =>
    Array.from({ length: count }, () => {
      const nowSeconds = Math.floor(house.time.now / 1000);
      const { bytes } = makeQuery(name, type, { nowSeconds, ...more });
      const address = from === undefined ? {} : { address: from };
      const answer = house.handle(bytes, { protocol, ...address });
      return answer.kind === 'message' ? readAnswer(answer.bytes) : null;
    });
  const answered = (answers: readonly unknown[]) =>
    answers.filter((answer) => answer !== null).length;

  it('drops what is above it: the same SOA, negative answers of a zone, refusals, errors', async () => {
    const { house, limiter } = await openScene();
    expect(answered(flood(house, ZONE, 'SOA'))).toBe(RATE);
    let asked = 0;
    const absent = Array.from({ length: 2 * RATE }, () => {
      asked += 1;
      return flood(house, `absent-${asked}.${ZONE}`, 'A', { count: 1 })[0];
    });
    expect(answered(absent)).toBe(RATE);
    const refused = Array.from({ length: 2 * RATE }, () => {
      asked += 1;
      return flood(house, `host-${asked}.example.`, 'A', { count: 1 })[0];
    });
    expect(answered(refused)).toBe(RATE);
    const garbage = Buffer.concat([makeQuery(ZONE, 'SOA').bytes, Buffer.of(0)]);
    const errors = Array.from({ length: 2 * RATE }, () => house.handle(garbage).kind);
    expect(errors.filter((kind) => kind === 'message')).toHaveLength(RATE);
    expect(limiter.counts()).toEqual({ dropped: 4 + 3 * RATE, slipped: 0 });
  });

  it('sends some of what is above it truncated, so that a true client comes by TCP', async () => {
    const { house } = await openScene(2);
    const answers = flood(house, ZONE, 'SOA');
    expect(answers.slice(0, RATE).every((answer) => answer?.answers.length === 1)).toBe(true);
    expect(answers[RATE]).toBeNull();
    expect(answers[RATE + 1]).toMatchObject({ rcode: RCODE.NOERROR, truncated: true, answers: [] });
    expect(answers[RATE + 2]).toBeNull();
    expect(answered(flood(house, ZONE, 'SOA', { protocol: 'tcp' }))).toBe(RATE + 4);
    expect(answered(flood(house, ZONE, 'SOA', { protocol: 'tls' }))).toBe(RATE + 4);
  });

  it('lets refusals slip as they are: truncated they were no smaller', async () => {
    const { house } = await openScene(1);
    for (const answer of flood(house, 'www.example.', 'A')) {
      expect(answer).toMatchObject({ rcode: RCODE.REFUSED, truncated: false });
    }
  });

  it('holds for the changes of a zone over UDP', async () => {
    const { house } = await openScene();
    const have = house.zone(ZONE).serial;
    house.time.now += 1_000;
    await house.edit((edit) => changeIndicators(edit, 1, { add: ['fresh.example'] }));
    const answers = flood(house, ZONE, 'IXFR', { have });
    expect(answers[0]?.answers.length).toBeGreaterThan(1);
    expect(answered(answers)).toBe(RATE);
  });

  it('does not hold for those who show by cookie or signature that they are themselves', async () => {
    const { house, key } = await openScene();
    const clientCookie = { options: [{ code: EDNS_OPTION.COOKIE, data: new Uint8Array(8) }] };
    const { edns } = house.ask(ZONE, 'SOA', { edns: clientCookie });
    const data = ednsOption(edns, EDNS_OPTION.COOKIE) ?? new Uint8Array(0);
    const good = { options: [{ code: EDNS_OPTION.COOKIE, data }] };
    expect(answered(flood(house, ZONE, 'SOA', { edns: good }))).toBe(RATE + 4);
    expect(answered(flood(house, ZONE, 'SOA', { key }))).toBe(RATE + 4);
    // What they got counts for nobody.
    expect(answered(flood(house, ZONE, 'SOA'))).toBe(RATE - 1);
    const forged = { ...key, secret: new Uint8Array(32) };
    expect(answered(flood(house, ZONE, 'SOA', { key: forged }))).toBe(RATE);
  });

  it('gives those who speak cookies one in place of a truncated answer', async () => {
    const { house } = await openScene(1);
    const edns = { options: [{ code: EDNS_OPTION.COOKIE, data: new Uint8Array(8) }] };
    const answers = flood(house, ZONE, 'SOA', { edns });
    expect(answers[RATE - 1]).toMatchObject({ rcode: RCODE.NOERROR });
    const slipped = answers[RATE];
    expect(slipped).toMatchObject({ rcode: RCODE.BADCOOKIE, truncated: false, answers: [] });
    const data = ednsOption(slipped?.edns ?? null, EDNS_OPTION.COOKIE) ?? new Uint8Array(0);
    const good = { options: [{ code: EDNS_OPTION.COOKIE, data }] };
    expect(house.ask(ZONE, 'SOA', { edns: good }).answers).toHaveLength(1);
  });
});
