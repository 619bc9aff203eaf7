/**
 * Lines per second of one core, as processor time, for a million lines of each shape:
 * `node test/indicators/read-lines.bench.ts`. The last column is a yardstick, the same lines as
 * strings in a Set.
 */
import { readIndicatorLines } from '../../src/indicators/read-lines.ts';
import { createRandom } from './random.ts';

const LINES = 1_000_000;
const RUNS = 5;

const random = createRandom(0xbe7c);

function word(): string {
  return Array.from({ length: 4 + random(9) }, () => String.fromCharCode(97 + random(26))).join('');
}

const ipv4 = () => `${20 + random(200)}.${random(256)}.${random(256)}.${random(256)}`;
const hex = () => random(0x10000).toString(16);

const SHAPES: Readonly<Record<string, () => string>> = {
  'plain names': () => `${word()}.${word()}.com`,
  wildcards: () => `*.${word()}.${word()}.com`,
  'IPv4 addresses': ipv4,
  'IPv4 with a count': () => `${ipv4()}\t${random(10)}`,
  'IPv6 addresses': () => `2001:db8:${hex()}:${hex()}::${hex()}`,
  'a thousand names again and again': () => `n${random(1000)}.example.com`,
  'slow path: host:name': () => `host:${word()}.${word()}.com`,
  'slow path: rejected': () => `0.0.0.0 ${word()}.${word()}.com`,
  'slow path: UTS 46': () => `${word()}ü.${word()}.com`,
};

/** The best of some runs: the others were disturbed. */
function bestSeconds(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let index = 0; index < RUNS; index++) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
}

for (const [shape, makeLine] of Object.entries(SHAPES)) {
  const text = Buffer.from(`${Array.from({ length: LINES }, makeLine).join('\n')}\n`);
  const options = { ownerOctetsMax: 200, isPublicSuffix: () => false, rejectionsShown: 10 };
  const seconds = bestSeconds(() => readIndicatorLines(text, options));
  const yardstick = bestSeconds(() => new Set(text.toString('latin1').split('\n')));
  const rate = (LINES / seconds / 1e6).toFixed(2);
  console.log(
    `${shape.padEnd(34)} ${seconds.toFixed(3)} s  ${rate} million lines/s  ${(seconds / yardstick).toFixed(2)} × Set`,
  );
}
