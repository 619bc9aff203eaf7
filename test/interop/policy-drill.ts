import { createRandom, type Random } from '../support/random.ts';
import {
  type Action,
  ADDRESSES_4,
  ADDRESSES_6,
  address4,
  address6,
  type Expectation,
  expectVerdicts,
  namesBelow,
  type ResolverHabits,
} from './policy-questions.ts';
import type { SluiceStage } from './sluice-stage.ts';

/**
 * A policy that real resolvers enforce while it changes at random: few labels, so that names nest
 * and collide; every form of name, addresses of both families, an allow target, a bundle with
 * exclusions and two user-defined lists; every action. Everything goes through the admin API.
 */
export interface PolicyDrill {
  readonly policyId: number;
  readonly zone: string;
  serial(): Promise<number>;
  /** Makes edits until `count` of them have changed the zone. */
  update(count: number): Promise<void>;
  /** A name that only the state after this call blocks: once a resolver does, it is up to date. */
  mark(): Promise<string>;
  /** What a resolver must show now. */
  expectations(habits?: ResolverHabits): Promise<Expectation[]>;
}

interface Changed {
  readonly zones: readonly { readonly zone: string; readonly serial: number | null }[];
}

/** Something that holds indicators: a target or a user-defined list. */
interface Holder {
  readonly kind: 'target' | 'list';
  readonly id: number;
  readonly allows: boolean;
  readonly held: Set<string>;
}

const ACTIONS: readonly Action[] = [
  { kind: 'nxdomain' },
  { kind: 'nodata' },
  { kind: 'drop' },
  { kind: 'tcp-only' },
  { kind: 'redirect', to: 'garden.elsewhere.example.' },
  { kind: 'redirect', to: '*.garden.elsewhere.example.' },
  {
    kind: 'local-data',
    records: [
      { type: 'A', data: '192.0.2.80' },
      { type: 'A', data: '192.0.2.81' },
      { type: 'TXT', data: '"blocked by policy"' },
    ],
  },
  {
    kind: 'local-data',
    records: [
      { type: 'A', data: '192.0.2.82' },
      { type: 'AAAA', data: '2001:db8::82' },
    ],
  },
];
const ALLOW: Action = { kind: 'allow' };

const INDICATOR_DEPTH_MAX = 3;
const INDICATORS_AT_FIRST = 9;
/** Beside which the changes are small, so that none of them is cheaper sent as a whole zone. */
export const BALLAST_HOSTS = 3_000;
const EDITS_PER_UPDATE_MAX = 20;
export async function openPolicyDrill(stage: SluiceStage, seed: number): Promise<PolicyDrill> {
  const random = createRandom(seed);
  const cast = await createCast(stage, random);
  const policyId = cast.policyId;
  const readPolicy = () =>
    stage.call<{ zones: { zone: string; serial: number }[] }>('GET', `/policies/${policyId}`);
  const { zones } = await readPolicy();
  let marks = 0;
  return {
    policyId,
    zone: zones[0]!.zone.replace(/\.$/, ''),
    serial: async () => (await readPolicy()).zones[0]!.serial,
    async update(count) {
      let left = count;
      for (let edits = 0; left > 0; edits++) {
        if (edits === count * EDITS_PER_UPDATE_MAX)
          throw new Error('too many edits change nothing');
        const changed = await editAtRandom(stage, cast, random);
        if (changed.zones.length > 0) left--;
      }
    },
    async mark() {
      marks++;
      const name = `mark${marks}.plain.example`;
      await stage.call('PATCH', `/targets/${cast.markTargetId}/indicators`, {
        add: [`host:${name}`],
      });
      return name;
    },
    expectations: (habits = {}) => expectVerdicts({ stage, policyId, seed, habits }),
  };
}

interface Cast {
  readonly policyId: number;
  readonly markTargetId: number;
  readonly holders: readonly Holder[];
  /** Targets that the bundle brings. */
  readonly bundled: readonly Holder[];
  readonly attached: Set<Holder>;
  readonly excluded: Set<Holder>;
}

async function createCast(stage: SluiceStage, random: Random): Promise<Cast> {
  const { id: markTargetId } = await createTarget(stage, random, { name: 'mark' });
  await stage.call('PATCH', `/targets/${markTargetId}/indicators`, {
    add: Array.from({ length: BALLAST_HOSTS }, (_, at) => `host:ballast${at}.plain.example`),
  });
  const targets: Holder[] = [];
  for (const [at, action] of ACTIONS.entries()) {
    targets.push(await createTarget(stage, random, { name: `${action.kind} ${at}` }));
  }
  const good = await createTarget(stage, random, { name: 'good', allows: true });
  const bundled = [
    await createTarget(stage, random, { name: 'bulk 1', tags: ['bulk'] }),
    await createTarget(stage, random, { name: 'bulk 2', tags: ['bulk'] }),
  ];
  const lists = [
    await createList(stage, random, { name: 'ours', allows: true }),
    await createList(stage, random, { name: 'theirs', allows: false }),
  ];
  const bundle = await stage.call<{ bundle: { id: number } }>('POST', '/bundles', {
    name: 'bulk',
    filter: { tags: ['bulk'] },
  });
  const attachments = [
    { kind: 'target', id: markTargetId, action: { kind: 'nxdomain' } },
    ...targets.map(({ id }, at) => ({ kind: 'target', id, action: ACTIONS[at] })),
    { kind: 'target', id: good.id, action: ALLOW },
    { kind: 'bundle', id: bundle.bundle.id, action: { kind: 'nodata' } },
    { kind: 'list', id: lists[0]!.id, action: ALLOW },
    { kind: 'list', id: lists[1]!.id, action: { kind: 'nxdomain' } },
  ];
  const created = await stage.call<{ policy: { id: number } }>('POST', '/policies', {
    name: 'drill',
    type: 'dns',
    attachments,
  });
  const holders = [...targets, good, ...bundled, ...lists];
  const attached = new Set([...targets, good, ...lists]);
  return {
    policyId: created.policy.id,
    markTargetId,
    holders,
    bundled,
    attached,
    excluded: new Set(),
  };
}

async function createTarget(
  stage: SluiceStage,
  random: Random,
  options: { readonly name: string; readonly allows?: boolean; readonly tags?: readonly string[] },
): Promise<Holder> {
  const { name, allows = false, tags = [] } = options;
  const attributes = { severity: random.below(6), tags };
  const created = await stage.call<{ target: { id: number } }>('POST', '/targets', {
    name,
    attributes,
  });
  const { id } = created.target;
  const holder: Holder = { kind: 'target', id, allows, held: new Set() };
  if (name !== 'mark') await changeMembers(stage, holder, random, INDICATORS_AT_FIRST);
  return holder;
}

async function createList(
  stage: SluiceStage,
  random: Random,
  options: { readonly name: string; readonly allows: boolean },
): Promise<Holder> {
  const created = await stage.call<{ list: { id: number } }>('POST', '/lists', {
    name: options.name,
  });
  const holder: Holder = {
    kind: 'list',
    id: created.list.id,
    allows: options.allows,
    held: new Set(),
  };
  await changeMembers(stage, holder, random, 3);
  return holder;
}

function editAtRandom(stage: SluiceStage, cast: Cast, random: Random): Promise<Changed> {
  const dice = random.below(100);
  if (dice < 60) return changeMembers(stage, random.pick(cast.holders), random, 3);
  const bundled = random.pick(cast.bundled);
  if (dice < 70) return toggleExclusion(stage, cast, bundled);
  const direct = random.pick(cast.holders.filter((holder) => !cast.bundled.includes(holder)));
  if (dice < 85 || !cast.attached.has(direct)) {
    return toggleAttachment(stage, cast, direct, random);
  }
  const path = `/policies/${cast.policyId}/attachments/${direct.kind}/${direct.id}`;
  return stage.call('PATCH', path, { action: actionFor(direct, random) });
}

function changeMembers(
  stage: SluiceStage,
  holder: Holder,
  random: Random,
  most: number,
): Promise<Changed> {
  const add = Array.from({ length: 1 + random.below(most) }, () => randomIndicator(random));
  const remove = [...holder.held].filter(() => random.chance(0.15));
  for (const text of remove) holder.held.delete(text);
  for (const text of add) holder.held.add(text);
  const path =
    holder.kind === 'target' ? `/targets/${holder.id}/indicators` : `/lists/${holder.id}/entries`;
  return stage.call('PATCH', `${path}?rejected=refuse`, { add: [...new Set(add)], remove });
}

function toggleExclusion(stage: SluiceStage, cast: Cast, holder: Holder): Promise<Changed> {
  const path = `/policies/${cast.policyId}/exclusions/${holder.id}`;
  if (cast.excluded.delete(holder)) return stage.call('DELETE', path);
  cast.excluded.add(holder);
  return stage.call('PUT', path);
}

function toggleAttachment(
  stage: SluiceStage,
  cast: Cast,
  holder: Holder,
  random: Random,
): Promise<Changed> {
  const path = `/policies/${cast.policyId}/attachments`;
  const { kind, id } = holder;
  if (cast.attached.delete(holder)) return stage.call('DELETE', `${path}/${kind}/${id}`);
  cast.attached.add(holder);
  return stage.call('POST', path, { kind, id, action: actionFor(holder, random) });
}

function actionFor(holder: Holder, random: Random): Action {
  return holder.allows ? ALLOW : random.pick(ACTIONS);
}

const NAMES = namesBelow(INDICATOR_DEPTH_MAX);
const APEXES = namesBelow(0);
/** A rule at an apex decides for so much that little else is left to see. */
const APEX_SHARE = 0.05;
const SPAN_4_BITS = 3;
const SPAN_6_BITS = 2;

function randomIndicator(random: Random): string {
  const name = random.pick(random.chance(APEX_SHARE) ? APEXES : NAMES.slice(APEXES.length));
  switch (random.below(5)) {
    case 0:
      return `name:${name}`;
    case 1:
      return `host:${name}`;
    case 2:
      return `wildcard:*.${name}`;
    case 3:
      return `${address4(random.below(ADDRESSES_4))}/${32 - random.below(SPAN_4_BITS + 1)}`;
    default:
      return `${address6(random.below(ADDRESSES_6))}/${128 - random.below(SPAN_6_BITS + 1)}`;
  }
}
