import type { ActionChoice, Attachment, BehaviourId, Target } from '../../src/policy/model.ts';
import { ModelError } from '../../src/policy/model-error.ts';
import {
  attach,
  changeAttachment,
  changeEntries,
  changeIndicators,
  createBehaviour,
  createBundle,
  deleteBundle,
  deleteList,
  deleteTarget,
  detach,
  type Edit,
  excludeTarget,
  grantEntitlement,
  includeTarget,
  revokeEntitlement,
  updateBehaviour,
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
/** So many there may be at most, however many are made. */
const HOLDERS_MAX = { targets: TARGETS + 1, lists: LISTS + 1, bundles: BUNDLES + 1 };
/** What no edit touches, so that a few changes weigh less than the zone and there is something to send as IXFR. */
const BULK = 700;
const BULK_NAME = 'bulk';

/** Where the readers of the policies sit, in the order of POLICIES. */
export const READERS = POLICIES.map((_, index) => `192.0.2.${index + 1}`);

const BEHAVIOURS = 2;
/** What behaviours stand for, now this and now that. */
const BEHAVIOUR_ACTIONS = [
  { kind: 'redirect', to: 'portal.example.' },
  { kind: 'redirect', to: '*.portal.example.' },
  { kind: 'local-data', records: [{ type: 'A', data: '192.0.2.90' }] },
] as const;

const DNS_ACTIONS: readonly ActionChoice[] = [
  { kind: 'behaviour', id: 1 as BehaviourId },
  { kind: 'behaviour', id: 2 as BehaviourId },
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
  for (const index of range(BEHAVIOURS)) {
    createBehaviour(edit, { name: `behaviour ${index}`, action: BEHAVIOUR_ACTIONS[index] });
  }
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
    BULK_NAME,
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
  ...Array<RandomEdit>(22).fill(['change indicators', changeSomeIndicators]),
  ['replace indicators', replaceIndicators],
  ['say the same again', repeatIndicators],
  ['attach', attachSomething],
  ['attach', attachSomething],
  ['detach', detachSomething],
  ['change an action', changeAction],
  ['change an action', changeAction],
  [
    'exclude',
    (edit, random) => excludeTarget(edit, policyOf(edit, random).id, targetId(edit, random)),
  ],
  [
    'include',
    (edit, random) => includeTarget(edit, policyOf(edit, random).id, targetId(edit, random)),
  ],
  ['change a list', changeList],
  ['change a list', changeList],
  [
    'turn a list',
    (edit, random) =>
      updateList(edit, listId(edit, random), { action: random.pick(['block', 'allow']) }),
  ],
  ['change attributes', changeAttributes],
  ['change a bundle', changeBundle],
  ['change a behaviour', changeBehaviour],
  ['make a target a partner or not', changePartner],
  ['grant or revoke', grantOrRevoke],
  ['grant or revoke', grantOrRevoke],
  ['change hostsMax', changeHostsMax],
  ['change the TTL', changeTtl],
  ['let a target allow or not', changeSupportsAllow],
  ['make a target', makeTarget],
  ['make a list', makeList],
  ['make a bundle', makeBundle],
  ['delete a target', removeTarget],
  ['delete a list', removeList],
  ['delete a bundle', removeBundle],
  ['make a target anew', remakeTarget],
];

function changeSomeIndicators(edit: Edit, random: Random): void {
  const count = random.below(5);
  changeIndicators(edit, targetId(edit, random), {
    // All names there are, now and then.
    add: [...indicators(random, 1 + count), ...(random.chance(0.05) ? ['*'] : [])],
    // Few of them are there, so more are named.
    remove: [...indicators(random, random.below(5) * 12), ...(random.chance(0.3) ? ['*'] : [])],
    ...CONFIRMED,
  });
}

function replaceIndicators(edit: Edit, random: Random): void {
  const replace = ['198.51.100.7', ...indicators(random, INDICATORS_AT_FIRST)];
  changeIndicators(edit, targetId(edit, random), { replace, ...CONFIRMED });
}

function repeatIndicators(edit: Edit, random: Random): void {
  const add = [`198.51.100.${random.below(TARGETS)}`];
  changeIndicators(edit, targetId(edit, random), { add, remove: add });
}

function attachSomething(edit: Edit, random: Random): void {
  const policy = policyOf(edit, random);
  const kind = random.pick(['target', 'bundle', 'list'] as const);
  const id = { target: targetId, bundle: bundleId, list: listId }[kind](edit, random);
  const ofIpList = policy.type === 'ip' && kind === 'list';
  const action = ofIpList ? {} : { action: actionFor(policy.type, random) };
  attach(edit, policy.id, { kind, id, ...action });
}

function detachSomething(edit: Edit, random: Random): void {
  const policy = policyOf(edit, random);
  const { targets } = edit.draft.model;
  const isBulk = ({ kind, id }: Attachment) =>
    kind === 'target' && targets.get(id as Target['id'])?.name === BULK_NAME;
  const attachments = policy.attachments.filter((attachment) => !isBulk(attachment));
  if (attachments.length > 0) detach(edit, policy.id, random.pick(attachments));
}

function changeAction(edit: Edit, random: Random): void {
  const policy = policyOf(edit, random);
  if (policy.attachments.length === 0) return;
  const action = actionFor(policy.type, random);
  changeAttachment(edit, policy.id, random.pick(policy.attachments), { action });
}

function changeList(edit: Edit, random: Random): void {
  const texts = () => indicators(random, 1 + random.below(3), LIST_KINDS);
  changeEntries(edit, listId(edit, random), {
    add: texts(),
    remove: [...texts(), ...texts()],
    rejected: 'report',
    ...CONFIRMED,
  });
}

function changeAttributes(edit: Edit, random: Random): void {
  const attributes = { severity: random.below(6), tags: [`tag${random.below(BUNDLES + 1)}`] };
  updateTarget(edit, targetId(edit, random), { attributes });
}

function changeBundle(edit: Edit, random: Random): void {
  const filter = random.chance(0.5)
    ? { tags: [`tag${random.below(BUNDLES)}`] }
    : { severityMin: random.below(6) };
  updateBundle(edit, bundleId(edit, random), { filter });
}

function changeBehaviour(edit: Edit, random: Random): void {
  updateBehaviour(edit, 1 + random.below(BEHAVIOURS), { action: random.pick(BEHAVIOUR_ACTIONS) });
}

function changePartner(edit: Edit, random: Random): void {
  updateTarget(edit, targetId(edit, random), { partner: random.chance(0.5) });
}

/** The members of partner targets come and go with the right to use them. */
function grantOrRevoke(edit: Edit, random: Random): void {
  const granted = [...edit.draft.model.entitlements.values()];
  if (granted.length > 0 && random.chance(0.5)) revokeEntitlement(edit, random.pick(granted).id);
  else {
    const partners = targetsOf(edit).filter(({ partner }) => partner);
    if (partners.length === 0) return;
    grantEntitlement(edit, { accountId: edit.accountId, targetId: random.pick(partners).id });
  }
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

function changeSupportsAllow(edit: Edit, random: Random): void {
  updateTarget(edit, targetId(edit, random), { supportsAllow: random.chance(0.5) });
}

function makeTarget(edit: Edit, random: Random): void {
  if (targetsOf(edit).length >= HOLDERS_MAX.targets) return;
  addAnotherTarget(edit, random, freshName(random));
}

function addAnotherTarget(edit: Edit, random: Random, name: string): void {
  const given = [`198.51.100.${random.below(TARGETS)}`, ...indicators(random, INDICATORS_AT_FIRST)];
  const attributes = { severity: random.below(6), tags: [`tag${random.below(BUNDLES)}`] };
  const id = addTarget(edit, name, given, attributes);
  const policy = policyOf(edit, random);
  attach(edit, policy.id, { kind: 'target', id, action: actionFor(policy.type, random) });
}

function makeList(edit: Edit, random: Random): void {
  const { lists } = edit.draft.model;
  if (lists.size >= HOLDERS_MAX.lists) return;
  const entries = ['198.51.100.100', ...indicators(random, 10, LIST_KINDS)];
  const id = addList(edit, freshName(random), entries, random.pick(['block', 'allow']));
  const policy = policyOf(edit, random);
  const action = policy.type === 'ip' ? {} : { action: actionFor(policy.type, random) };
  attach(edit, policy.id, { kind: 'list', id, ...action });
}

function makeBundle(edit: Edit, random: Random): void {
  if (edit.draft.model.bundles.size >= HOLDERS_MAX.bundles) return;
  const filter = { tags: [`tag${random.below(BUNDLES)}`] };
  const { id } = createBundle(edit, { name: freshName(random), filter });
  const policy = policyOf(edit, random);
  attach(edit, policy.id, { kind: 'bundle', id, action: actionFor(policy.type, random) });
}

function removeTarget(edit: Edit, random: Random): void {
  if (targetsOf(edit).length <= 2) return;
  const id = targetId(edit, random);
  detachEverywhere(edit, 'target', id);
  deleteTarget(edit, id);
}

/** One edit in which a target goes and another comes under its name. */
function remakeTarget(edit: Edit, random: Random): void {
  const { id, name } = random.pick(targetsOf(edit));
  detachEverywhere(edit, 'target', id);
  deleteTarget(edit, id);
  addAnotherTarget(edit, random, name);
}

function removeList(edit: Edit, random: Random): void {
  if (edit.draft.model.lists.size <= 1) return;
  const id = listId(edit, random);
  detachEverywhere(edit, 'list', id);
  deleteList(edit, id);
}

function removeBundle(edit: Edit, random: Random): void {
  if (edit.draft.model.bundles.size <= 1) return;
  const id = bundleId(edit, random);
  detachEverywhere(edit, 'bundle', id);
  deleteBundle(edit, id);
}

/** What is attached cannot be deleted. */
function detachEverywhere(edit: Edit, kind: Attachment['kind'], id: number): void {
  for (const policy of edit.draft.model.policies.values()) {
    const held = policy.attachments.find((other) => other.kind === kind && other.id === id);
    if (held !== undefined) detach(edit, policy.id, held);
  }
}

const freshName = (random: Random): string => `made ${random.below(1_000_000)}`;

/** Those that edits may touch. */
function targetsOf(edit: Edit): Target[] {
  return [...edit.draft.model.targets.values()].filter(({ name }) => name !== BULK_NAME);
}

const targetId = (edit: Edit, random: Random): number => random.pick(targetsOf(edit)).id;
const listId = (edit: Edit, random: Random): number =>
  random.pick([...edit.draft.model.lists.keys()]);
const bundleId = (edit: Edit, random: Random): number =>
  random.pick([...edit.draft.model.bundles.keys()]);

function actionFor(type: 'dns' | 'ip', random: Random): ActionChoice {
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
