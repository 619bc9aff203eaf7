import { describe, expect, it } from 'vitest';
import { RRTYPE } from '../../src/dns/index.ts';
import type { Directory, Observer } from '../../src/nameserver/directory-port.ts';
import {
  type Answer,
  createNameserver,
  type Handler,
  type Peer,
} from '../../src/nameserver/index.ts';
import { createRateLimiter } from '../../src/nameserver/rate-limit.ts';
import { createDirectory } from '../../src/publish/directory.ts';
import type { PublishedState } from '../../src/publish/state.ts';
import { makeQuery } from '../support/dns-query.ts';
import { type House, openHouse } from '../support/house.ts';
import { createRandom, type Random } from '../support/random.ts';
import { firstModel, READERS, randomEdit } from './random-edits.ts';

const SEEDS = [21, 22, 23];
const STEPS = 40;
const QUERIES_PER_STEP = 100;
/** That are asked again and again, until others take their place. */
const QUESTIONS = 15;
/** Otherwise the property would say little. */
const READY_MIN = SEEDS.length * STEPS * 15;

const ROOT = 'sluice.internal';
const DEFAULTS = {
  root: ROOT,
  refresh: 900,
  retry: 300,
  expire: 1_209_600,
  minimum: 60,
  apexTtl: 60,
};
const TYPES = ['SOA', 'SOA', 'NS', 'CNAME', 'A', 'TXT', 'APL', 'PTR', 'ANY'] as const;
const STRANGER = '203.0.113.9';
/** None, then what clients send, then what no plain query has. */
const EDNS = [
  undefined,
  undefined,
  {},
  { udpPayloadSize: 512 },
  { dnssecOk: true },
  { udpPayloadSize: 100, dnssecOk: true },
  { version: 1 },
  { options: [{ code: 3, data: new Uint8Array(0) }] },
  { options: [{ code: 10, data: new Uint8Array(8) }] },
];

describe('answers that were given before', () => {
  it('are what would be made anew, with all that belongs to them, over random edits', async () => {
    let ready = 0;
    for (const seed of SEEDS) {
      const random = createRandom(seed);
      const house = await openHouse({ defaults: DEFAULTS });
      await house.edit((edit) => firstModel(edit, random));
      const kept = openCounter(house, seed);
      const fresh = openCounter(house, seed);
      const questions: Question[] = [];
      for (let step = 0; step < STEPS; step++) {
        const edit = await house.edit((edit) => randomEdit(edit, random));
        house.time.now += random.below(3) * 250;
        for (let asked = 0; asked < QUERIES_PER_STEP; asked++) {
          const { octets, peer, text } = randomQuery(house, questions, random);
          // One nameserver keeps its answers, the other one is made for each question.
          const context = `seed ${seed}, step ${step}, ${edit.value}: ${text}`;
          expect(kept.ask(octets, peer), context).toEqual(fresh.anew().ask(octets, peer));
        }
      }
      ready += kept.ready();
    }
    expect(ready).toBeGreaterThan(READY_MIN);
  }, 120_000);
});

/** A nameserver, and everything that it says and tells for a query. */
function openCounter(house: House, seed: number) {
  let told: unknown[] = [];
  let zonesLookedFor = 0;
  let readyAnswers = 0;
  const observer: Observer = {
    polled: (event) => told.push(['polled', { ...event, clientSerial: null }]),
    transferred: (event) => told.push(['transferred', event]),
    refused: (event) => told.push(['refused', event]),
    answered: (rcode, protocol) => told.push(['answered', rcode, protocol]),
  };
  const limiter = createRateLimiter(
    { answersPerSecond: 40, slip: 2, ipv4PrefixLength: 24, ipv6PrefixLength: 56, exempt: [] },
    { clock: () => house.time.now, seed },
  );
  let known: { readonly state: PublishedState; readonly directory: Directory } | undefined;
  const directory = (): Directory => {
    const { state, catalogue } = house.publisher;
    if (known?.state !== state) {
      const made = createDirectory(state, catalogue, DEFAULTS);
      const zoneOf: Directory['zoneOf'] = (name) => {
        zonesLookedFor += 1;
        return made.zoneOf(name);
      };
      known = { state, directory: { ...made, zoneOf } };
    }
    return known.directory;
  };
  const open = (): Handler =>
    createNameserver({
      directory,
      observer,
      clock: () => house.time.now,
      tsigAlgorithms: ['hmac-sha256'],
      udpOctetsMax: 1232,
      frameCacheOctets: 0,
      rateLimiter: limiter,
    });
  let handler = open();
  const counter = {
    anew() {
      handler = open();
      return counter;
    },
    ask(octets: Uint8Array, peer: Peer) {
      told = [];
      const before = zonesLookedFor;
      const answer = handler(octets, peer);
      if (answer.kind === 'message' && zonesLookedFor === before) readyAnswers += 1;
      return { said: copyOf(answer), told };
    },
    ready: () => readyAnswers,
  };
  return counter;
}

function copyOf(answer: Answer): unknown {
  if (answer.kind === 'message') return Buffer.from(answer.bytes).toString('hex');
  if (answer.kind === 'stream') answer.ended({ completed: false, octets: 0, durationMs: 0 });
  return answer.kind;
}

interface Question {
  readonly name: string;
  readonly type: (typeof TYPES)[number];
  readonly edns: (typeof EDNS)[number];
}

/** Mostly one that was asked before, in this case or another, by whomever, over whatever. */
function randomQuery(house: House, questions: Question[], random: Random) {
  if (questions.length < QUESTIONS || random.chance(0.1)) {
    questions.push({
      name: randomName(house, random),
      type: random.pick(TYPES),
      edns: random.pick(EDNS),
    });
    if (questions.length > QUESTIONS) questions.shift();
  }
  const { type, edns, ...asked } = random.pick(questions);
  const name = random.chance(0.1) ? otherCase(asked.name) : asked.name;
  const query = makeQuery(name, RRTYPE[type], {
    id: random.below(65_536),
    recursionDesired: random.chance(0.3),
    ...(random.chance(0.03) ? { class: 3 } : {}),
    ...(random.chance(0.03) ? { opcode: random.below(6) } : {}),
    ...(edns === undefined ? {} : { edns }),
  });
  const octets = query.bytes;
  // Bits that mean nothing in a query: RA, Z, AD, CD and the RCODE.
  if (random.chance(0.1)) octets[3] = random.below(256);
  const protocol = random.pick(['udp', 'udp', 'tcp', 'tls'] as const);
  const address = random.pick([...READERS, ...READERS, STRANGER]);
  const certificate =
    protocol === 'tls' && random.chance(0.3) ? { certificateNames: ['no.device.example.'] } : {};
  const peer: Peer = { protocol, address, port: 5353, ...certificate };
  return { octets, peer, text: `${name} ${type} by ${protocol} from ${address}` };
}

function randomName(house: House, random: Random): string {
  const zone = random.pick([...house.publisher.state.zones.keys()]);
  const below = random.pick([
    '',
    '',
    'bulk7.example.',
    'www.bulk7.example.',
    'absent.',
    `n${random.below(30)}.example.`,
    `a.b.n${random.below(30)}.example.`,
    'example.',
    '*.bulk9.example.',
    '0.v4.',
    'v4.',
    '7.100.51.198.q.',
    '32.1.200.1.10.rpz-ip.',
    `${'x'.repeat(60)}.${'y'.repeat(60)}.`,
  ]);
  return random.chance(0.05) ? `${below}${ROOT}.` : `${below}${zone}`;
}

function otherCase(name: string): string {
  return [...name].map((letter, at) => (at % 2 === 0 ? letter.toUpperCase() : letter)).join('');
}
