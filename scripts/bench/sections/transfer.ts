import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TRANSFER_PIECE_OCTETS } from '../../../src/nameserver/handler-port.ts';
import { digSignedTransfer } from '../dig-transfer.ts';
import type { Drained } from '../drain/drain-once.ts';
import type { DrainOptions } from '../drain/start-drainer.ts';
import { interleave } from '../interleave.ts';
import { startKnot } from '../peers/knot.ts';
import { startNamed } from '../peers/named.ts';
import { startNsd } from '../peers/nsd.ts';
import { startPowerDns } from '../peers/powerdns.ts';
import { treeProcessorMs } from '../processes.ts';
import type { BenchContext, Row, Section, SectionFigures } from '../section.ts';
import type { Server } from '../server.ts';
import { restartSluice, withSignedDevice } from '../servers.ts';
import { formatCount } from '../statistics.ts';
import { startPush } from '../yardstick/start-plain-node.ts';

const CLIENTS = 8;
const PEERS = [startNamed, startKnot, startNsd, startPowerDns];
/** Transfers before those that count, until what a server keeps ready is kept. */
const WARMUP = 3;
/** After a start, until it does nothing any more. */
const REST_MS = 1_500;

/** The whole zone by AXFR. */
export const transfer: Section = { name: 'transfer', title: 'The whole zone (AXFR)', run };

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules, stock, say } = context;
  const peers: Server[] = [];
  const stop = new Set<Server>();
  try {
    await Promise.all(
      PEERS.map(async (start, index) => {
        const peer = await start(await stock.peerFolder(rules, context.folder(start.name)));
        stop.add(peer);
        peers[index] = peer;
        say(`${peer.name} serves`);
      }),
    );
    const sluiceFolder = await stock.sluiceFolder(rules, context.folder('sluice'));
    const cold = await coldSamples(context, sluiceFolder);
    // Peers keep no messages ready, so what is looked at here is their cold transfer, too.
    const looks = new Map<string, Look>();
    for (const peer of peers) looks.set(peer.name, await look(context, peer));
    say('AXFR, cold');
    const sluice = await withSignedDevice(await restartSluice(sluiceFolder), sluiceFolder);
    stop.add(sluice);
    const captured = join(context.folder('yardstick'), 'octets');
    for (let index = 0; index < WARMUP; index++) await context.drainer.drain(sluice);
    await context.drainer.drain(sluice, { captureTo: captured });
    const push = await startPush(captured, TRANSFER_PIECE_OCTETS, sluice.zone);
    stop.add(push);
    for (const server of [sluice, push]) looks.set(server.name, await look(context, server));
    const rows = [
      coldRow(cold, peers, looks),
      ...(await warmRows(context, [sluice, ...peers], push)),
      ...costRows(rules, looks),
    ];
    const records = await digSignedTransfer(sluice, context.folder('dig'));
    return {
      text:
        `${formatCount(rules)} rules. The client is a process of its own that follows the lengths of the messages and ` +
        'looks at the first and the last octets of each. "Plain Node" is a process that writes the octets ' +
        'of Sluice’s answer, prepared, to the same client in the same pieces: what the client, the sockets ' +
        'and Node leave to be had. "Cold" is the first transfer after a start; Sluice is started anew for ' +
        'each sample, the others, which prepare nothing, once. Of the signed answer of Sluice dig verified ' +
        `every signature, outside of the clock: ${records} records.`,
      rows,
    };
  } finally {
    await Promise.all([...stop].map((server) => server.stop()));
  }
}

/** One transfer, and what it costs both sides. */
interface Look {
  readonly drained: Drained;
  readonly serverMs: number;
}

async function look({ drainer }: BenchContext, server: Server): Promise<Look> {
  const before = treeProcessorMs(server.pid);
  const drained = await drainer.drain(server);
  return { drained, serverMs: treeProcessorMs(server.pid) - before };
}

async function coldSamples({ rounds, drainer }: BenchContext, folder: string): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const server = await restartSluice(folder);
    await sleep(REST_MS);
    samples.push((await drainer.drain(server)).ms);
    await server.stop();
  }
  return samples;
}

function coldRow(
  own: readonly number[],
  peers: readonly Server[],
  looks: ReadonlyMap<string, Look>,
): Row {
  const others = peers.map(({ name }) => [name, [looks.get(name)?.drained.ms ?? 0]]);
  return {
    title: 'cold, one client',
    unit: 'ms',
    samples: { Sluice: own, ...Object.fromEntries(others) },
    limit: 'encoding each record once, into frames that are kept; then as below.',
    aims: [
      {
        text: 'at least 7 times as fast as NSD',
        of: { server: 'NSD' },
        by: { server: 'Sluice' },
        atLeast: 7,
      },
    ],
  };
}

function costRows(rules: number, looks: ReadonlyMap<string, Look>): Row[] {
  const samples = (of: (look: Look) => number): Row['samples'] =>
    Object.fromEntries([...looks].map(([name, seen]) => [name, [of(seen)]]));
  return [
    {
      title: 'octets on the wire per rule',
      unit: 'octets',
      samples: samples(({ drained }) => drained.octets / rules),
      aims: [
        { text: 'no more than NSD', of: { server: 'Sluice' }, by: { server: 'NSD' }, atMost: 1 },
      ],
    },
    { title: 'messages', unit: 'number', samples: samples(({ drained }) => drained.messages) },
    {
      title: 'processor time of the server',
      unit: 'ms',
      samples: samples(({ serverMs }) => serverMs),
    },
    {
      title: 'processor time of the client',
      unit: 'ms',
      samples: samples(({ drained }) => drained.processorMs),
    },
  ];
}

async function warmRows(
  context: BenchContext,
  servers: readonly Server[],
  push: Server,
): Promise<Row[]> {
  const { rounds, drainer, say } = context;
  const measure = async (options: DrainOptions, among: readonly Server[]) => {
    const samples = await interleave(
      among,
      rounds,
      async (server) => (await drainer.drain(server, options)).ms,
    );
    say(`AXFR ${JSON.stringify(options)}`);
    return samples;
  };
  const wire = 'what plain Node needs for the same octets: the copies into and out of the sockets.';
  const timesNsd = {
    text: 'at least 20 times as fast as NSD',
    of: { server: 'NSD' },
    by: { server: 'Sluice' },
    atLeast: 20,
  };
  const shareOfPlain = {
    text: 'at least 60 % of what plain Node pushes',
    of: { server: push.name },
    by: { server: 'Sluice' },
    atLeast: 0.6,
  };
  return [
    {
      title: 'warm, one client',
      unit: 'ms',
      samples: await measure({}, [...servers, push]),
      limit: wire,
      aims: [timesNsd, shareOfPlain],
    },
    {
      title: `warm, ${CLIENTS} clients at once`,
      unit: 'ms',
      samples: await measure({ clients: CLIENTS }, [...servers, push]),
      limit: `${wire} One process serves all clients, and one takes it all.`,
      aims: [timesNsd, shareOfPlain],
    },
    {
      title: 'warm, signed (hmac-sha256), one client',
      unit: 'ms',
      samples: await measure({ isSigned: true }, servers),
      limit: 'the MAC over each octet.',
      aims: [
        {
          text: 'at least 10 times as fast as the fastest peer',
          of: { server: 'best peer' },
          by: { server: 'Sluice' },
          atLeast: 10,
        },
      ],
    },
  ];
}
