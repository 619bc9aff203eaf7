import { describe, expect, it } from 'vitest';
import { formatIndicator } from '../../src/indicators/format-indicator.ts';
import { idsOf } from '../../src/indicators/id-set.ts';
import { MEMBER_FORMS } from '../../src/indicators/indicator.ts';
import { type Action, actionKey } from '../../src/policy/action.ts';
import type { MemberSets } from '../../src/policy/member-sets.ts';
import { resolveMembers } from '../../src/policy/members.ts';
import type { PolicyId } from '../../src/policy/model.ts';
import { ModelError } from '../../src/policy/model-error.ts';
import {
  attach,
  changeAttachment,
  changeEntries,
  changeIndicators,
  createDevice,
  detach,
  type Edit,
  excludeTarget,
  includeTarget,
  releasePolicy,
  rollBackPolicy,
  updateDevice,
  updateTarget,
} from '../../src/publish/edits/index.ts';
import type { ExplainQuestion, Explanation } from '../../src/publish/publisher.ts';
import { retainedSerials } from '../../src/publish/zone-reading.ts';
import { sideOf } from '../../src/zone/snapshot.ts';
import { type House, openHouse } from '../support/house.ts';
import { createRandom, type Random } from '../support/random.ts';
import { ALLOW, addList, addPolicy, addTarget, BLOCK, NXDOMAIN } from '../support/scene.ts';
import { coverOf, naiveVerdict, type Source } from './policy-model.ts';

/**
 * What explain says of a serial later on must be what the members of that time meant, by the naive
 * reading of the design: whatever was edited, rolled back or assigned since.
 */
const SEEDS = [1, 2, 3];
const STEPS = 60;
const STEPS_PER_CHECK = 12;
const REVISIONS_KEPT = 10;
const QUERIES = 12;

const TARGETS = 4;
const LISTS = 2;
const POLICIES = ['one', 'two', 'gate'] as const;

interface Query {
  readonly trigger: 'qname' | 'ip';
  readonly value: string;
}

/** What was true while a zone had one serial: of each query its verdict, and what covered it. */
interface Moment {
  readonly verdicts: readonly string[];
  /** `target 3 host:a.b` and the like, of all targets and lists. */
  readonly covers: readonly ReadonlySet<string>[];
}
type Notes = Map<string, { readonly first: Moment; last: Moment }>;

const verdictKey = (action: Action | null): string => (action === null ? '' : actionKey(action));

describe.each(SEEDS)('explain, asked of any retained serial (seed %i)', (seed) => {
  it('says what the naive reading said when the serial was made', async () => {
    const random = createRandom(seed);
    const house = await openHouse({ limits: { revisionsMax: REVISIONS_KEPT } });
    await house.edit((edit) => firstModel(edit, random));
    const queries = sampleQueries(random);
    const notes: Notes = new Map();
    const pinned = new Map<PolicyId, readonly string[]>();
    let asked = 0;
    for (let step = 0; step < STEPS; step++) {
      takeNotes(house, queries, pinned, notes);
      if (step % STEPS_PER_CHECK === 0) asked += await checkAll(house, queries, notes);
      house.time.now += 1 + random.below(3_000);
      await randomStep(house, random, pinned, notes);
    }
    takeNotes(house, queries, pinned, notes);
    asked += await checkAll(house, queries, notes);
    // A server that starts now says the same of what it still retains.
    await checkAll(await house.restart(), queries, notes);
    expect(asked).toBeGreaterThan(1_500);
  }, 120_000);
});

function sampleQueries(random: Random): Query[] {
  const names = Array.from({ length: QUERIES }, () => randomName(random, 5));
  const addresses = Array.from({ length: QUERIES }, () => `10.0.0.${random.below(64)}`);
  return [
    ...names.map((value) => ({ trigger: 'qname', value }) as const),
    ...addresses.map((value) => ({ trigger: 'ip', value }) as const),
  ];
}

/** Writes down for every zone what its present serial means. */
function takeNotes(
  house: House,
  queries: readonly Query[],
  pinned: ReadonlyMap<PolicyId, readonly string[]>,
  notes: Notes,
): void {
  const covers = queries.map((query) => naiveCovers(house, query));
  for (const [origin, { policyId, serial, body }] of house.publisher.state.zones) {
    const verdicts =
      policyId === null
        ? queries.map(() => '')
        : (pinned.get(policyId) ?? naiveVerdicts(house, policyId, queries));
    const key = `${origin} ${serial}`;
    const known = notes.get(key);
    const moment = { verdicts, covers };
    if (known === undefined) notes.set(key, { first: moment, last: moment });
    else known.last = moment;
    // One serial, one content; the other side of an IP pair may go on by itself.
    if (known !== undefined && body.kind === 'rpz') expect(verdicts).toEqual(known.first.verdicts);
  }
}

function naiveVerdicts(house: House, policyId: PolicyId, queries: readonly Query[]): string[] {
  const { model } = house.publisher;
  const policy = model.policies.get(policyId)!;
  const sources = resolveMembers(policy, model).map(
    ({ tier, severity, action, sets }): Source => ({
      tier,
      severity,
      action,
      indicators: linesOf(house, sets),
    }),
  );
  return queries.map(({ trigger, value }) =>
    verdictKey(
      policy.type === 'ip' && trigger !== 'ip'
        ? null
        : naiveVerdict(sources, value, trigger === 'ip' ? 'ip' : 'name'),
    ),
  );
}

function naiveCovers(house: House, { trigger, value }: Query): Set<string> {
  const { targets, lists } = house.publisher.model;
  const held = [
    ...targets.values().map(({ id, members }) => [`target ${id}`, members] as const),
    ...lists.values().map(({ id, members }) => [`list ${id}`, members] as const),
  ];
  return new Set(
    held.flatMap(([holder, members]) =>
      linesOf(house, members)
        .filter((line) => coverOf(line, value, trigger === 'ip' ? 'ip' : 'name') !== null)
        .map((line) => `${holder} ${line}`),
    ),
  );
}

/** With their kinds: `name:a.b`, `wildcard:*.a`, `ip:10.0.0.0/24`. */
function linesOf(house: House, members: MemberSets): string[] {
  const { catalogue } = house.publisher;
  return MEMBER_FORMS.flatMap((form) =>
    [...idsOf(members[form])].map((id) => {
      const { kind, key } = catalogue.indicator(id, form);
      return lineOf(kind, formatIndicator(kind, key));
    }),
  );
}

const lineOf = (kind: string, text: string): string =>
  ['name', 'wildcard', 'ip'].includes(kind) ? `${kind}:${text}` : text;

/** Asks of every zone, at every serial that it retains, every query; says how many that were. */
async function checkAll(house: House, queries: readonly Query[], notes: Notes): Promise<number> {
  let asked = 0;
  for (const [origin, zone] of house.publisher.state.zones) {
    const retained = retainedSerials(zone);
    const subject =
      zone.deviceId === null ? { policyId: zone.policyId! } : { deviceId: zone.deviceId };
    for (const [index, { serial }] of retained.entries()) {
      const note = notes.get(`${origin} ${serial}`)!;
      // Of the present serial and of the oldest, whose making is forgotten, the end is meant.
      const moment = index === 0 || index === retained.length - 1 ? note.last : note.first;
      for (const [at, { trigger, value }] of queries.entries()) {
        if (zone.body.kind === 'ip' && trigger !== 'ip') continue;
        const side = sideOf(zone.body);
        if (side === 'catalog') throw new Error(`${origin} is no zone of a policy`);
        const question: ExplainQuestion = { subject, trigger, value, side, serial };
        const explanation = await house.publisher.explain(question);
        const label = `${value} in ${origin} at ${serial}`;
        expect(verdictKey(explanation.verdict), label).toBe(moment.verdicts[at]);
        checkCovers(explanation, moment.covers[at]!, label);
        asked++;
      }
    }
  }
  return asked;
}

function checkCovers(
  { covers, verdict, rolledBack }: Explanation,
  then: ReadonlySet<string>,
  label: string,
): void {
  const keys = covers.map(
    ({ source, kind, indicator }) => `${source.kind} ${source.id} ${lineOf(kind, indicator)}`,
  );
  for (const [index, cover] of covers.entries()) {
    expect(cover.heldThen, `${keys[index]} covers ${label}`).toBe(then.has(keys[index]!));
    expect(cover.heldThen || cover.heldNow, label).toBe(true);
    expect(cover.firstSeen, label).toBeLessThanOrEqual(cover.lastSeen);
  }
  // Of those that are members still, none is missing.
  const sources = new Set(covers.map(({ source }) => `${source.kind} ${source.id}`));
  const expected = [...then].filter((key) => sources.has(key.split(' ', 2).join(' ')));
  expect(keys, label).toEqual(expect.arrayContaining(expected));
  const deciding = covers.filter(({ decides }) => decides);
  expect(deciding.length, label).toBeLessThanOrEqual(1);
  if (rolledBack) expect(deciding, label).toEqual([]);
  for (const cover of deciding) {
    expect(cover, label).toBe(covers.find(({ heldThen }) => heldThen));
    expect(actionKey(cover.action), label).toBe(verdictKey(verdict));
  }
}

function firstModel(edit: Edit, random: Random): void {
  const targets = Array.from({ length: TARGETS }, (_, index) =>
    addTarget(edit, `target ${index}`, ['10.0.0.1', ...randomIndicators(random, 12)], {
      severity: index,
    }),
  );
  const lists = Array.from({ length: LISTS }, (_, index) =>
    addList(
      edit,
      `list ${index}`,
      ['10.0.0.2', ...randomIndicators(random, 4)],
      index === 0 ? 'allow' : 'block',
    ),
  );
  const names = [
    [targets[0]!, NXDOMAIN],
    [targets[1]!, { kind: 'drop' }],
  ] as const;
  addPolicy(edit, 'one', 'dns', { targets: [...names], lists: [[lists[0]!, ALLOW]] });
  addPolicy(edit, 'two', 'dns', { targets: [names[1], [targets[2]!, { kind: 'nodata' }]] });
  const addresses = [
    [targets[0]!, BLOCK],
    [targets[3]!, ALLOW],
  ] as const;
  addPolicy(edit, 'gate', 'ip', { targets: [...addresses], lists: [[lists[1]!, BLOCK]] });
  createDevice(edit, { name: 'roving', type: 'dns', access: 'source', sources: ['192.0.2.99'] });
}

const CONFIRMED = { confirmBroad: true, confirmRoot: true };

/** One edit of a random kind, now and then a rollback; what the rules refuse is no edit. */
async function randomStep(
  house: House,
  random: Random,
  pinned: Map<PolicyId, readonly string[]>,
  notes: Notes,
): Promise<void> {
  if (random.chance(0.1)) return rollBackOrRelease(house, random, pinned, notes);
  const run = random.pick(EDITS);
  await house.edit((edit) => {
    try {
      run(edit, random);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
    }
  });
}

async function rollBackOrRelease(
  house: House,
  random: Random,
  pinned: Map<PolicyId, readonly string[]>,
  notes: Notes,
): Promise<void> {
  const policy = random.pick([...house.publisher.model.policies.values()]);
  if (policy.rollback !== null) {
    await house.edit((edit) => releasePolicy(edit, policy.id));
    pinned.delete(policy.id);
    return;
  }
  const zone = policy.type === 'dns' ? 'rpz' : random.pick(['block', 'allow'] as const);
  const [origin, snapshot] = [...house.publisher.state.zones].find(
    ([, { policyId, deviceId, body }]) =>
      policyId === policy.id && deviceId === null && sideOf(body) === zone,
  )!;
  const retained = retainedSerials(snapshot);
  // The oldest is left out: for an IP pair, how it began may be forgotten for the other side.
  const { serial } = random.pick(retained.slice(0, Math.max(1, retained.length - 1)));
  const note = notes.get(`${origin} ${serial}`)!;
  try {
    await house.edit((edit) => rollBackPolicy(edit, policy.id, { serial, zone }));
  } catch (error) {
    if (error instanceof ModelError && error.code === 'serial-unknown') return;
    throw error;
  }
  // A serial without any before or after it means now.
  pinned.set(policy.id, (retained.length === 1 ? note.last : note.first).verdicts);
}

type RandomEdit = (edit: Edit, random: Random) => unknown;

const EDITS: readonly RandomEdit[] = [
  ...Array<RandomEdit>(6).fill((edit, random) =>
    changeIndicators(edit, targetId(random), {
      add: randomIndicators(random, 1 + random.below(4)),
      remove: randomIndicators(random, random.below(12)),
      ...CONFIRMED,
    }),
  ),
  (edit, random) =>
    changeIndicators(edit, targetId(random), {
      replace: ['10.0.0.1', ...randomIndicators(random, 10)],
      ...CONFIRMED,
    }),
  ...Array<RandomEdit>(3).fill((edit, random) =>
    changeEntries(edit, listId(random), {
      add: randomIndicators(random, 2),
      remove: randomIndicators(random, 6),
      rejected: 'report',
      ...CONFIRMED,
    }),
  ),
  (edit, random) =>
    updateTarget(edit, targetId(random), { attributes: { severity: random.below(6) } }),
  (edit, random) => {
    const policy = policyOf(edit, random);
    const kind = random.pick(['target', 'list'] as const);
    const id = kind === 'target' ? targetId(random) : listId(random);
    const isIpList = policy.type === 'ip' && kind === 'list';
    attach(edit, policy.id, {
      kind,
      id,
      ...(isIpList ? {} : { action: randomAction(policy.type, random) }),
    });
  },
  (edit, random) => {
    const policy = policyOf(edit, random);
    if (policy.attachments.length > 1) detach(edit, policy.id, random.pick(policy.attachments));
  },
  (edit, random) => {
    const policy = policyOf(edit, random);
    const action = randomAction(policy.type, random);
    changeAttachment(edit, policy.id, random.pick(policy.attachments), { action });
  },
  (edit, random) => excludeTarget(edit, policyOf(edit, random).id, targetId(random)),
  (edit, random) => includeTarget(edit, policyOf(edit, random).id, targetId(random)),
  ...Array<RandomEdit>(2).fill((edit, random) => {
    const device = [...edit.draft.model.devices.values()].find(({ name }) => name === 'roving')!;
    const policyId = random.pick([1, 2, null]);
    updateDevice(edit, device.id, { policyId });
  }),
];

const targetId = (random: Random): number => 1 + random.below(TARGETS);
const listId = (random: Random): number => 1 + random.below(LISTS);
const policyOf = (edit: Edit, random: Random) =>
  edit.draft.model.policies.get((1 + random.below(POLICIES.length)) as PolicyId)!;

function randomAction(type: 'dns' | 'ip', random: Random): Action {
  return type === 'ip'
    ? random.pick([BLOCK, ALLOW])
    : random.pick([ALLOW, NXDOMAIN, { kind: 'drop' }, { kind: 'nodata' }]);
}

/** Few labels and addresses, so that covers nest. */
function randomIndicators(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => {
    const name = randomName(random, 4);
    const length = 26 + random.below(7);
    const last = (random.below(64) >> (32 - length)) << (32 - length);
    return random.pick([name, `host:${name}`, `*.${name}`, `10.0.0.${last}/${length}`]);
  });
}

function randomName(random: Random, labelsMax: number): string {
  const labels = 2 + random.below(labelsMax - 1);
  return Array.from({ length: labels }, () => random.pick(['a', 'b', 'c'])).join('.');
}
