import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { TRANSFER_PIECE_OCTETS } from '../../../src/nameserver/handler-port.ts';
import { freshPrefixes, generatePrefixes } from '../generate-prefixes.ts';
import { interleave } from '../interleave.ts';
import { ALLOW_ZONE, BLOCK_ZONE, type IpPolicyServer, startIpPolicy } from '../ip-policy.ts';
import { startKnot } from '../peers/knot.ts';
import { startNamed } from '../peers/named.ts';
import { startNsd } from '../peers/nsd.ts';
import { publishChange } from '../publish-change.ts';
import { pullPrefixes } from '../pull-prefixes.ts';
import type { BenchContext, Row, Section, SectionFigures } from '../section.ts';
import type { Server } from '../server.ts';
import { formatCount } from '../statistics.ts';
import { startPush } from '../yardstick/start-plain-node.ts';

const COUNTS = [1, 1_000];
const BUILD_ROUNDS_MAX = 3;
const WARMUP_ROUNDS = 3;
const WARMUP_TRANSFERS = 3;
/** What one changed address may cost those who follow the zone. */
const INCREMENTAL_OCTETS_MAX = 2_000;
const DIG_OCTETS_MAX = 1 << 30;
const REST_MS = 2_000;

/** The two zones of an IP policy, from the call of the API to the list that a firewall takes. */
export const ipPair: Section = { name: 'ip-pair', title: 'The pair of an IP policy', run };

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules, say } = context;
  const { server: sluice, buildMs } = await build(context);
  const stop: Server[] = [sluice];
  try {
    const changes = await changeRows(context, sluice);
    say('changes');
    const others = await startOthers(context, sluice, stop);
    const pull = await pullRows(context, sluice, others.peers);
    const blocked = pull.blocked;
    const transfer = await transferRows(context, [sluice, ...others.peers, others.push], blocked);
    return {
      text:
        `${formatCount(rules)} prefixes, 19 of 20 of them blocked: addresses, IPv4 and IPv6 networks, which become ${formatCount(blocked)} ` +
        `prefixes of the block zone and ${formatCount(pull.allowed)} of the allow zone. Peers serve the block ` +
        'zone from what dig writes of a transfer. Build is from the call of the API that replaces the ' +
        'content of the target until the zone is served; its commit to disk is in it. `sluice-pull` prints ' +
        'both lists into a file, in the place of filling sets of the kernel. No peer makes such zones, so ' +
        'building and changing them have no column but one.',
      rows: [
        {
          title: `build, ${formatCount(rules)} prefixes`,
          unit: 'ms',
          samples: { Sluice: buildMs },
          limit: 'reading, sorting and committing the prefixes, once each.',
        },
        ...changes,
        ...transfer,
        ...pull.rows,
      ],
    };
  } finally {
    await Promise.all(stop.map((server) => server.stop()));
  }
}

/** Each sample is one of a fresh server; the last one stays. */
async function build({ rules, rounds, folder, say }: BenchContext) {
  const prefixes = generatePrefixes(rules);
  const buildMs: number[] = [];
  for (let round = 1; ; round++) {
    const server = await startIpPolicy(folder(`sluice-${round}`), prefixes);
    buildMs.push(server.buildMs);
    say(`built in ${Math.round(server.buildMs)} ms`);
    if (round === Math.min(rounds, BUILD_ROUNDS_MAX)) return { server, buildMs };
    await server.stop();
  }
}

async function changeRows(
  { drainer, rounds }: BenchContext,
  sluice: IpPolicyServer,
): Promise<Row[]> {
  const rows: Row[] = [];
  let fresh = 0;
  for (const count of COUNTS) {
    const [published, incremental, octets]: [number[], number[], number[]] = [[], [], []];
    for (let round = -WARMUP_ROUNDS; round < rounds; round++) {
      const { ms, from } = await publishChange(sluice, { add: freshPrefixes(count, fresh++) });
      const drained = await drainer.drain(sluice, { from });
      if (round < 0) continue;
      published.push(ms);
      incremental.push(drained.ms);
      octets.push(drained.octets);
    }
    const of = `${formatCount(count)} changed ${count === 1 ? 'prefix' : 'prefixes'}`;
    rows.push(
      {
        title: `${of} until served`,
        unit: 'ms',
        samples: { Sluice: published },
        limit:
          'the digest of the zone (ZONEMD), which has the serial in it and so is made of all records anew; a thread of its own makes it.',
      },
      { title: `IXFR of ${of}`, unit: 'ms', samples: { Sluice: incremental } },
      {
        title: `IXFR of ${of}, on the wire`,
        unit: 'octets',
        samples: { Sluice: octets },
        limit: 'a record holds 32 prefixes on average, and all of it goes and comes anew.',
        aims:
          count === 1
            ? [{ text: 'under 2 KB', of: { server: 'Sluice' }, atMost: INCREMENTAL_OCTETS_MAX }]
            : [],
      },
    );
  }
  return rows;
}

/** Servers with the same block zone, and plain Node that pushes it. */
async function startOthers(context: BenchContext, sluice: Server, stop: Server[]) {
  const { folder, drainer, say } = context;
  const text = await digZone(sluice);
  const peers: Server[] = [];
  for (const start of [startNamed, startKnot, startNsd]) {
    const home = folder(start.name);
    writeFileSync(join(home, 'zone.db'), text);
    const peer = await start(home, [sluice.zone]);
    stop.push(peer);
    peers.push(peer);
    say(`${peer.name} serves`);
  }
  await sleep(REST_MS);
  const captured = join(folder('yardstick'), 'octets');
  for (let index = 0; index < WARMUP_TRANSFERS; index++) await drainer.drain(sluice);
  await drainer.drain(sluice, { captureTo: captured });
  const push = await startPush(captured, TRANSFER_PIECE_OCTETS, sluice.zone);
  stop.push(push);
  return { peers, push };
}

/** What dig writes of a transfer is a zone file, but for the SOA that stands at both ends. */
async function digZone({ address, port, zone }: Server): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'dig',
    [`@${address}`, '-p', String(port), '+noall', '+answer', '+onesoa', zone, 'AXFR'],
    { maxBuffer: DIG_OCTETS_MAX },
  );
  return stdout;
}

async function transferRows(
  { rounds, drainer, say }: BenchContext,
  servers: readonly Server[],
  prefixes: number,
): Promise<Row[]> {
  const octets: Record<string, number[]> = {};
  const samples = await interleave(servers, rounds, async (server) => {
    const drained = await drainer.drain(server);
    octets[server.name] = [drained.octets / prefixes];
    return drained.ms;
  });
  say('AXFR of the block zone');
  return [
    {
      title: 'AXFR of the block zone, warm',
      unit: 'ms',
      samples,
      limit: 'what plain Node needs for the same octets.',
      aims: [
        {
          text: 'faster than the fastest peer',
          of: { server: 'best peer' },
          by: { server: 'Sluice' },
          atLeast: 1,
        },
      ],
    },
    { title: 'octets on the wire per prefix of the block zone', unit: 'octets', samples: octets },
  ];
}

interface PullFigures {
  readonly rows: Row[];
  readonly blocked: number;
  readonly allowed: number;
}

/** One sample each: dig and awk need seconds for it, whoever answers. */
async function pullRows(
  { folder, say }: BenchContext,
  sluice: Server,
  peers: readonly Server[],
): Promise<PullFigures> {
  const home = folder('pull');
  const limit = 'dig and awk, which need the same whoever answers.';
  const blockOnly: Record<string, number[]> = {};
  for (const server of [sluice, ...peers.filter(({ name }) => name === 'Knot')]) {
    const options = { block: BLOCK_ZONE, method: 'pages', folder: home } as const;
    blockOnly[server.name] = [(await pullPrefixes(server, options)).ms];
  }
  const pair = { block: BLOCK_ZONE, allow: ALLOW_ZONE, folder: home };
  const byPages = await pullPrefixes(sluice, { ...pair, method: 'pages' });
  const byTransfer = await pullPrefixes(sluice, { ...pair, method: 'axfr' });
  const { blocked, allowed } = byPages;
  if (blocked !== byTransfer.blocked || allowed !== byTransfer.allowed)
    throw new Error('sluice-pull takes different lists by pages and by AXFR');
  say('sluice-pull');
  const row = (title: string, samples: Row['samples']): Row => ({
    title: `sluice-pull: ${title}`,
    unit: 'ms',
    samples,
    limit,
  });
  return {
    rows: [
      row('the block zone by questions for its pages', blockOnly),
      row('the pair by questions for its pages', { Sluice: [byPages.ms] }),
      row('the pair by AXFR', { Sluice: [byTransfer.ms] }),
    ],
    blocked,
    allowed,
  };
}
