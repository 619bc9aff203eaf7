import type { Action } from '../../src/policy/action.ts';
import { ModelError } from '../../src/policy/model-error.ts';
import {
  attach,
  changeAttachment,
  changeEntries,
  changeIndicators,
  createBundle,
  detach,
  type Edit,
  excludeTarget,
  includeTarget,
  updateBundle,
  updateList,
  updatePolicy,
  updateTarget,
} from '../../src/publish/edits/index.ts';
import type { Random } from '../support/random.ts';
import { ALLOW, addList, addPolicy, addTarget, BLOCK, NXDOMAIN } from '../support/scene.ts';

/** Everything that analysts do, at random: one function makes the first model, one an edit of it. */

const TARGETS = 5;
const LISTS = 3;
const BUNDLES = 2;
const POLICIES = [
  { name: 'one', type: 'dns' },
  { name: 'two', type: 'dns' },
  { name: 'gate', type: 'ip' },
  { name: 'hosts', type: 'ip' },
] as const;
const INDICATORS_AT_FIRST = 80;
/** What no edit touches, so that a few changes weigh less than the zone and there is something to send as IXFR. */
const BULK = 700;

/** Where the readers of the policies sit, in the order of POLICIES. */
export const READERS = POLICIES.map((_, index) => `192.0.2.${index + 1}`);

const DNS_ACTIONS: readonly Action[] = [
  ALLOW,
  NXDOMAIN,
  { kind: 'nodata' },
  { kind: 'drop' },
  { kind: 'tcp-only' },
  { kind: 'redirect', to: 'garden.example.' },
  { kind: 'redirect', to: '*.garden.example.' },
  {
    kind: 'local-data',
    records: [
      { type: 'A', data: '192.0.2.80' },
      { type: 'A', data: '192.0.2.81' },
      { type: 'TXT', data: '"stopped here"' },
    ],
  },
];

export function firstModel(edit: Edit, random: Random): void {
  const targets = range(TARGETS).map((index) =>
    addTarget(
      edit,
      `target ${index}`,
      // One address each: IP policies take nothing without.
      [`198.51.100.${index}`, ...indicators(random, INDICATORS_AT_FIRST)],
      { severity: index, tags: [`tag${index % BUNDLES}`] },
    ),
  );
  const lists = range(LISTS).map((index) =>
    addList(
      edit,
      `list ${index}`,
      [`198.51.100.${100 + index}`, ...indicators(random, 10, LIST_KINDS)],
      index % 2 === 0 ? 'allow' : 'block',
    ),
  );
  const bulk = addTarget(
    edit,
    'bulk',
    range(BULK).flatMap((index) => [`bulk${index}.example`, `10.${index % 251}.200.${index % 7}`]),
  );
  for (const index of range(BUNDLES)) {
    createBundle(edit, { name: `bundle ${index}`, filter: { tags: [`tag${index}`] } });
  }
  for (const [index, { name, type }] of POLICIES.entries()) {
    const source = READERS[index];
    const given = [...targets.slice(index % 2, 3), bulk].map(
      (id) => [id, actionFor(type, random)] as const,
    );
    const own = type === 'dns' ? ([lists[0], ALLOW] as const) : ([lists[1], BLOCK] as const);
    const hosts = name === 'hosts' ? { hostsMax: 40 } : {};
    addPolicy(edit, name, type, { targets: given, lists: [own], source, ...hosts });
  }
}

/** One edit of a random kind. What the rules refuse is no edit: then nothing must have changed. */
export function randomEdit(edit: Edit, random: Random): string {
  const [name, run] = random.pick(EDITS);
  try {
    run(edit, random);
    return name;
  } catch (error) {
    if (error instanceof ModelError) return `${name} (refused: ${error.code})`;
    throw error;
  }
}

type RandomEdit = readonly [string, (edit: Edit, random: Random) => unknown];

const CONFIRMED = { confirmBroad: true, confirmRoot: true };

/** What is done most often stands here more than once. */
const EDITS: readonly RandomEdit[] = [
  ...Array<RandomEdit>(16).fill(['change indicators', changeSomeIndicators]),
  ['replace indicators', replaceIndicators],
  ['say the same again', repeatIndicators],
  ['attach', attachSomething],
  ['attach', attachSomething],
  ['detach', detachSomething],
  ['change an action', changeAction],
  ['change an action', changeAction],
  ['exclude', (edit, random) => excludeTarget(edit, policyOf(edit, random).id, targetId(random))],
  ['include', (edit, random) => includeTarget(edit, policyOf(edit, random).id, targetId(random))],
  ['change a list', changeList],
  ['change a list', changeList],
  [
    'turn a list',
    (edit, random) => updateList(edit, listId(random), { action: random.pick(['block', 'allow']) }),
  ],
  ['change attributes', changeAttributes],
  ['change a bundle', changeBundle],
  ['change hostsMax', changeHostsMax],
  ['change the TTL', changeTtl],
];

function changeSomeIndicators(edit: Edit, random: Random): void {
  const count = random.below(5);
  changeIndicators(edit, targetId(random), {
    // All names there are, now and then.
    add: [...indicators(random, 1 + count), ...(random.chance(0.05) ? ['*'] : [])],
    // Few of them are there, so more are named.
    remove: [...indicators(random, random.below(5) * 12), ...(random.chance(0.3) ? ['*'] : [])],
    ...CONFIRMED,
  });
}

function replaceIndicators(edit: Edit, random: Random): void {
  const replace = ['198.51.100.7', ...indicators(random, INDICATORS_AT_FIRST)];
  changeIndicators(edit, targetId(random), { replace, ...CONFIRMED });
}

function repeatIndicators(edit: Edit, random: Random): void {
  const add = [`198.51.100.${random.below(TARGETS)}`];
  changeIndicators(edit, targetId(random), { add, remove: add });
}

function attachSomething(edit: Edit, random: Random): void {
  const policy = policyOf(edit, random);
  const kind = random.pick(['target', 'bundle', 'list'] as const);
  const id = { target: targetId, bundle: bundleId, list: listId }[kind](random);
  const ofIpList = policy.type === 'ip' && kind === 'list';
  const action = ofIpList ? {} : { action: actionFor(policy.type, random) };
  attach(edit, policy.id, { kind, id, ...action });
}

function detachSomething(edit: Edit, random: Random): void {
  const policy = policyOf(edit, random);
  if (policy.attachments.length > 1) detach(edit, policy.id, random.pick(policy.attachments));
}

function changeAction(edit: Edit, random: Random): void {
  const policy = policyOf(edit, random);
  if (policy.attachments.length === 0) return;
  const action = actionFor(policy.type, random);
  changeAttachment(edit, policy.id, random.pick(policy.attachments), { action });
}

function changeList(edit: Edit, random: Random): void {
  const texts = () => indicators(random, 1 + random.below(3), LIST_KINDS);
  changeEntries(edit, listId(random), {
    add: texts(),
    remove: [...texts(), ...texts()],
    rejected: 'report',
    ...CONFIRMED,
  });
}

function changeAttributes(edit: Edit, random: Random): void {
  const attributes = { severity: random.below(6), tags: [`tag${random.below(BUNDLES + 1)}`] };
  updateTarget(edit, targetId(random), { attributes });
}

function changeBundle(edit: Edit, random: Random): void {
  const filter = random.chance(0.5)
    ? { tags: [`tag${random.below(BUNDLES)}`] }
    : { severityMin: random.below(6) };
  updateBundle(edit, bundleId(random), { filter });
}

function changeHostsMax(edit: Edit, random: Random): void {
  const policies = [...edit.draft.model.policies.values()].filter(({ type }) => type === 'ip');
  const hostsMax = random.chance(0.3) ? null : 1 + random.below(60);
  updatePolicy(edit, random.pick(policies).id, { hostsMax });
}

/** All records change with it, so the zone begins anew: rarely, or there would be no history. */
function changeTtl(edit: Edit, random: Random): void {
  const ttl = random.chance(0.3) ? 30 + random.below(3) : 60;
  updatePolicy(edit, policyOf(edit, random).id, { ttl });
}

function policyOf(edit: Edit, random: Random) {
  return random.pick([...edit.draft.model.policies.values()]);
}

const targetId = (random: Random): number => 1 + random.below(TARGETS);
const listId = (random: Random): number => 1 + random.below(LISTS);
const bundleId = (random: Random): number => 1 + random.below(BUNDLES);

function actionFor(type: 'dns' | 'ip', random: Random): Action {
  return type === 'dns' ? random.pick(DNS_ACTIONS) : random.pick([BLOCK, BLOCK, ALLOW]);
}

const LIST_KINDS = ['name', 'host', 'wildcard', 'ip', 'ip6'] as const;
const TARGET_KINDS = [
  ...LIST_KINDS,
  'name',
  'name',
  'ip',
  'ip',
  'nsname',
  'nsip',
  'clientip',
] as const;

/** Names that nest, and prefixes that nest and touch: a small world, so that edits meet each other. */
function indicators(
  random: Random,
  count: number,
  kinds: readonly (typeof TARGET_KINDS)[number][] = TARGET_KINDS,
): string[] {
  return range(count).map(() => {
    const kind = random.pick(kinds);
    switch (kind) {
      case 'ip':
        return prefix4(random);
      case 'ip6':
        return prefix6(random);
      case 'nsip':
      case 'clientip':
        return `${kind}:${random.chance(0.5) ? prefix4(random) : prefix6(random)}`;
      default:
        return `${kind}:${nameText(random)}`;
    }
  });
}

function nameText(random: Random): string {
  const labels = range(random.below(3)).map(() => random.pick(['a', 'b', 'www']));
  return [...labels, `n${random.below(150)}`, 'example'].join('.');
}

function prefix4(random: Random): string {
  const length = random.pick([32, 32, 32, 31, 30, 28, 25, 24]);
  return `10.0.${random.below(8)}.${random.below(256)}/${length}`;
}

function prefix6(random: Random): string {
  const length = random.pick([128, 128, 127, 120, 64]);
  return `2001:db8::${random.below(6)}:${random.below(256).toString(16)}/${length}`;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
