import { generateRules } from '../../../scripts/bench/generate.ts';
import { TRANSFER_PIECE_OCTETS } from '../../../src/nameserver/handler-port.ts';
import type { Action } from '../../../src/policy/action.ts';
import { makeQuery } from '../../support/dns-query.ts';
import { type Desk, type House, openHouse } from '../../support/house.ts';
import { ALLOW, addPolicy, addTarget, NXDOMAIN, zoneName } from '../../support/scene.ts';
import { ratioOf, timed } from './ratio.ts';

/**
 * The ratios that need no sockets, as JSON on standard output. A program of its own, since the code
 * that a test runner has rewritten is not as quick as what is served.
 */
const RULES = 100_000;
const ZONE = zoneName('rpz', 'guard');
const FRAME_OCTETS = 64 * 1024 * 1024;
const QUERIES = 20_000;
const QR_OCTET = 2;
const QR = 0x80;
const HEADER_OCTETS = 12;
const LOCAL_DATA: Action = {
  kind: 'local-data',
  records: [{ type: 'A', data: '192.0.2.80' }],
};

const rules = generateRules(RULES);
const house = await openHouse();
await house.edit((edit) => {
  const targets = [
    [addTarget(edit, 'blocked', rules.blocked), NXDOMAIN],
    [addTarget(edit, 'allowed', rules.allowed), ALLOW],
    [addTarget(edit, 'local', rules.local), LOCAL_DATA],
  ] as const;
  addPolicy(edit, 'guard', 'dns', { targets });
});
const encoding = await encodingRatio(house);
const query = await queryRatio(house);
process.stdout.write(JSON.stringify({ encoding, query }));

/** A transfer whose messages are all to be encoded, and a loop that copies as many octets one by one. */
async function encodingRatio(house: House): Promise<number> {
  const piece = new Uint8Array(TRANSFER_PIECE_OCTETS);
  const octets = new Uint8Array(takeAll(house.openDesk({ frameCacheOctets: 0 }), piece));
  return ratioOf(
    { rounds: 15, warmup: 5 },
    () => {
      const desk = house.openDesk({ frameCacheOctets: FRAME_OCTETS });
      return timed(() => takeAll(desk, piece));
    },
    () => timed(() => copyAll(octets, piece)),
  );
}

function takeAll(desk: Desk, piece: Uint8Array): number {
  const answer = desk.handle(makeQuery(ZONE, 'AXFR').bytes, { protocol: 'tcp' });
  if (answer.kind !== 'stream') throw new Error(`the answer to AXFR is of kind ${answer.kind}`);
  let total = 0;
  for (let filled = answer.fill(piece); filled > 0; filled = answer.fill(piece)) total += filled;
  answer.ended({ completed: true, octets: total, durationMs: 0 });
  return total;
}

function copyAll(octets: Uint8Array, piece: Uint8Array): void {
  for (let at = 0; at < octets.length; at += piece.length) {
    const length = Math.min(piece.length, octets.length - at);
    for (let index = 0; index < length; index++) piece[index] = octets[at + index];
  }
}

/** Queries for rules, and a handler that looks their names up in a Map and sends them back. */
async function queryRatio(house: House): Promise<number> {
  const names = rules.blocked.filter((rule) => !/^[0-9.]+$/.test(rule)).slice(0, QUERIES);
  const queries = names.map((name) => makeQuery(`${name}.${ZONE}`, 'CNAME').bytes);
  const known = new Map(queries.map((bytes) => [questionIn(bytes), true]));
  const desk = house.openDesk({});
  const buffer = Buffer.alloc(512);
  const echo = (bytes: Uint8Array): number => {
    if (!known.has(questionIn(bytes))) throw new Error('the yardstick knows all questions');
    buffer.set(bytes);
    buffer[QR_OCTET] |= QR;
    return bytes.length;
  };
  return ratioOf(
    { rounds: 15, warmup: 5 },
    () =>
      timed(() => {
        for (const bytes of queries) desk.handle(bytes);
      }),
    () =>
      timed(() => {
        for (const bytes of queries) echo(bytes);
      }),
  );
}

function questionIn(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(
    'latin1',
    HEADER_OCTETS,
  );
}
