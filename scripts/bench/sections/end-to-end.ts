import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../test/support/free-port.ts';
import { askSerial, type Endpoint, untilServed } from '../client.ts';
import { freshNames, generateRules } from '../generate.ts';
import { startKnot } from '../peers/knot.ts';
import { sendChange } from '../publish-change.ts';
import { startBindReceiver } from '../receivers/bind.ts';
import type { Receiver, StartReceiver } from '../receivers/receiver.ts';
import { startUnboundReceiver } from '../receivers/unbound.ts';
import { untilBlocked } from '../receivers/until-blocked.ts';
import { startUpstream } from '../receivers/upstream.ts';
import type { Aim, BenchContext, Row, Section, SectionFigures } from '../section.ts';
import type { Server } from '../server.ts';
import { restartSluice, type SluiceServer } from '../servers.ts';
import { formatCount } from '../statistics.ts';

const CHANGES = 1_000;
/** Each takes a resolver some ten seconds for each primary. */
const ROUNDS_MAX = 3;
/** Seldom enough to take nothing from a resolver that loads, often enough for seconds. */
const LOAD_POLL_MS = 20;
const CHANGE_POLL_MS = 2;
/** BIND takes a policy into use at most every two seconds, as our sample configures it. */
const REST_MS = 4_000;
const RECEIVERS: readonly (readonly [name: string, start: StartReceiver])[] = [
  ['BIND', startBindReceiver],
  ['Unbound', startUnboundReceiver],
];

/** From a primary to the answer that a resolver gives by its policy. */
export const endToEnd: Section = { name: 'end-to-end', title: 'Up to the resolver', run };

/** By the primary. */
type Samples = Record<string, number[]>;

/** What one kind of resolver needs. */
interface Figures {
  readonly load: Samples;
  readonly loadAfterTransfer: Samples;
  readonly change: Samples;
  readonly changeAfterServed: Samples;
}

interface Primary {
  readonly server: Server | SluiceServer;
  /** What it takes a client that only drains. */
  readonly transferMs: number[];
}

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules, folder, stock, say } = context;
  const upstream = await startUpstream();
  const own: Endpoint[] = [];
  for (const _ of RECEIVERS) own.push({ address: '127.0.0.1', port: await freePort() });
  const knot = await startKnot(await stock.peerFolder(rules, folder('knot')), undefined, own);
  const sluice = await restartSluice(await stock.sluiceFolder(rules, folder('sluice')));
  const primaries = [sluice, knot].map((server) => ({ server, transferMs: [] }));
  try {
    await tellReceivers(sluice, own);
    say('both primaries serve');
    const rows: Row[] = [];
    for (const [index, [name, start]] of RECEIVERS.entries()) {
      const figures = await measure(context, { name, start, own: own[index], upstream }, primaries);
      rows.push(...rowsOf(name, figures, context));
    }
    const drained = Object.fromEntries(primaries.map((p) => [p.server.name, p.transferMs]));
    const title = 'the transfer alone, to a client that only drains';
    return { text: textOf(context), rows: [...rows, { title, unit: 'ms', samples: drained }] };
  } finally {
    upstream.stop();
    await Promise.all(primaries.map(({ server }) => server.stop()));
  }
}

/** A device that is told of changes at all of these. */
async function tellReceivers(sluice: SluiceServer, notify: readonly Endpoint[]): Promise<void> {
  const { items } = await sluice.api<{ items: { id: number }[] }>('GET', '/devices');
  await sluice.api('PATCH', `/devices/${items[0].id}`, { notify });
}

interface Subject {
  readonly name: string;
  readonly start: StartReceiver;
  readonly own: Endpoint;
  readonly upstream: Endpoint;
}

async function measure(
  context: BenchContext,
  subject: Subject,
  primaries: readonly Primary[],
): Promise<Figures> {
  const { drainer, folder, say } = context;
  const figures: Figures = { load: {}, loadAfterTransfer: {}, change: {}, changeAfterServed: {} };
  const add = (samples: Samples, name: string, ms: number) => {
    (samples[name] ??= []).push(ms);
  };
  for (let round = 0; round < Math.min(ROUNDS_MAX, context.rounds); round++) {
    // Each of them is the first one in turn: a program that was not run for a while starts slowly.
    const turn = round % 2 === 0 ? primaries : primaries.toReversed();
    for (const { server, transferMs } of turn) {
      const transfer = (await drainer.drain(server)).ms;
      transferMs.push(transfer);
      const home = folder(`${subject.name}-${server.name}-${round}`);
      const startOnce = () => subject.start({ ...subject, folder: home, primary: server });
      const receiver = startOnce();
      const ms = await untilEnforced(receiver, context);
      add(figures.load, server.name, ms);
      add(figures.loadAfterTransfer, server.name, ms - transfer);
      await sleep(REST_MS);
      const changed = await changeUntilEnforced(receiver, server, round, subject.name);
      add(figures.change, server.name, changed.ms);
      add(figures.changeAfterServed, server.name, changed.afterServedMs);
      await receiver.stop();
      say(
        `${subject.name} from ${server.name}: ${Math.round(ms)} ms, then ${Math.round(changed.ms)}`,
      );
      if (server.name !== 'Sluice') continue;
      const again = startOnce();
      add(figures.load, OWN_FILE, await untilEnforced(again, context));
      await again.stop();
    }
  }
  return figures;
}

const OWN_FILE = 'own file';

/** Until rules from everywhere in the zone are answered by. */
function untilEnforced(receiver: Receiver, { rules }: BenchContext): Promise<number> {
  const names = generateRules(rules).blocked.filter((rule) => !/^[0-9.]+$/.test(rule));
  // In the order of zones, which BIND follows when it takes rules into use.
  const sorted = names.map((name) => name.split('.').reverse().join('.')).sort();
  const some = [0, sorted.length >> 1, sorted.length - 1].map((index) =>
    sorted[index].split('.').reverse().join('.'),
  );
  return untilBlocked(receiver, some, { startedAt: receiver.startedAt, pollMs: LOAD_POLL_MS });
}

async function changeUntilEnforced(
  receiver: Receiver,
  server: Server | SluiceServer,
  round: number,
  label: string,
): Promise<{ readonly ms: number; readonly afterServedMs: number }> {
  const add = freshNames(CHANGES, round).map((name) => `${label.toLowerCase()}.${name}`);
  const before = await askSerial(server, server.zone);
  const startedAt = performance.now();
  const [ms, servedMs] = await Promise.all([
    untilBlocked(receiver, [add[0], add[CHANGES - 1]], { startedAt, pollMs: CHANGE_POLL_MS }),
    untilServed(server, startedAt, (serial) => serial !== before),
    sendChange(server, { add }),
  ]);
  return { ms, afterServedMs: ms - servedMs };
}

function rowsOf(name: string, figures: Figures, { rules }: BenchContext): Row[] {
  return [
    {
      title: `an empty ${name}, until it answers by ${formatCount(rules)} rules`,
      unit: 'ms',
      samples: figures.load,
      limit:
        `${name} itself: see the row below. It takes records the sooner the nearer each is to the one before in the ` +
        'order of zones (RFC 4034 section 6.1). Knot sends them in that order, and so does Sluice what came ' +
        'to it as one large list.',
      aims: [NO_SLOWER],
    },
    {
      title: `of it, without the transfer: ${name} itself`,
      unit: 'ms',
      samples: figures.loadAfterTransfer,
    },
    {
      title: `${formatCount(CHANGES)} changes, until ${name} answers by them`,
      unit: 'ms',
      samples: figures.change,
      limit: `${name} itself, once they are served: see the row below. ${CHANGE_LIMIT[name] ?? ''}`,
      aims: [NO_SLOWER],
    },
    {
      title: `of it, from being served: NOTIFY, IXFR, ${name} itself`,
      unit: 'ms',
      samples: figures.changeAfterServed,
    },
  ];
}

const CHANGE_LIMIT: Readonly<Record<string, string>> = {
  BIND: 'It looks at the whole zone again, in slices, to find what is another rule now.',
  Unbound: 'It writes the whole zone into its file before it answers again.',
};

/** Within the noise of a resolver that needs seconds. */
const NO_SLOWER: Aim = {
  text: 'no slower than from Knot (a ratio of 0.95 or more)',
  of: { server: 'Knot' },
  by: { server: 'Sluice' },
  atLeast: 0.95,
};

function textOf({ rules }: BenchContext): string {
  return (
    `A resolver that has no zone yet is started, with the samples of \`config/\`, and asked every ${LOAD_POLL_MS} ms ` +
    `for names below three of ${formatCount(rules)} rules (the first, the middle and the last one in the order of zones) ` +
    'that were never asked for, until it says of all three that they do not exist; upstream, every name ' +
    'exists. The time is from the start of its process. Then, four seconds later, ' +
    `${formatCount(CHANGES)} names are added, by the admin API of Sluice or a DNS UPDATE to Knot, until the first and the ` +
    'last are answered by: the resolver is told by NOTIFY and takes an IXFR. "Own file" is the resolver ' +
    'started again on what it has kept, without a transfer. "Without the transfer" takes off what a ' +
    'client needs that only drains.'
  );
}
