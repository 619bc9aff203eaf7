import { describe, expect, it } from 'vitest';
import {
  attach,
  changeAttachment,
  changeIndicators,
  createPolicy,
  createTarget,
  detach,
  type Edit,
} from '../../../src/publish/edits/index.ts';
import { findWarnings, type SafetySettings } from '../../../src/publish/safety/warnings.ts';
import { type House, openHouse } from '../../support/house.ts';
import { createRandom, type Random } from '../../support/random.ts';
import { safetySettings } from '../../support/safety.ts';

/** A small world, in which everything meets everything. */
const NAMES = [
  'org',
  'a.org',
  'b.a.org',
  'c.b.a.org',
  'x.org',
  'y.x.org',
  'com',
  'a.com',
  'z.a.com',
];
const GUARDED_NAMES = ['b.a.org', 'x.org', 'a.com', 'q.a.com'];
const SUFFIXES = ['org', 'com'];
const ADDRESSES = Array.from({ length: 16 }, (_, host) => `198.51.100.${host}`);
const OWN = ['198.51.100.0/30', '198.51.100.6', '198.51.100.8/29'];

const SAFETY: SafetySettings = safetySettings({
  neverBlockNames: GUARDED_NAMES,
  neverBlockPrefixes: [],
  isPublicSuffix: (name) => SUFFIXES.includes(name),
  ownPrefixes: OWN,
});

function randomLine(random: Random): string {
  if (random.chance(0.4)) {
    const length = random.pick([28, 29, 30, 31, 32]);
    return `${random.pick(ADDRESSES)}/${length}`;
  }
  const name = random.pick(NAMES);
  return `${random.pick(['', '', 'host:', '*.'])}${name}`;
}

function randomEdit(random: Random): (edit: Edit) => unknown {
  const target = 1 + random.below(4);
  const lines = Array.from({ length: 1 + random.below(6) }, () => randomLine(random));
  return (edit) => {
    const policy = 1 + random.below(2);
    const { attachments } = edit.draft.model.policies.get(policy as never)!;
    const kinds =
      policy === 1 ? ['nxdomain', 'drop', 'nodata', 'allow'] : ['block', 'block', 'block', 'allow'];
    const action = { kind: random.pick(kinds) };
    const attached = attachments.find(({ id }) => id === target);
    if (random.chance(0.75)) {
      const list = random.chance(0.45) ? 'add' : 'remove';
      return changeIndicators(edit, target, { [list]: lines, confirmBroad: true });
    }
    if (attached === undefined) return attach(edit, policy, { kind: 'target', id: target, action });
    return random.chance(0.5)
      ? detach(edit, policy, { kind: 'target', id: target })
      : changeAttachment(edit, policy, { kind: 'target', id: target }, { action });
  };
}

/** What of the guarded is blocked now, asked for one by one. */
async function blockedNow({ publisher }: House): Promise<ReadonlySet<string>> {
  const blocked = new Set<string>();
  const isBlocked = async (policyId: number, trigger: 'qname' | 'ip', value: string) => {
    const { verdict } = await publisher.explain({ subject: { policyId }, trigger, value });
    return verdict !== null && verdict.kind !== 'allow';
  };
  for (const name of GUARDED_NAMES) {
    if (await isBlocked(1, 'qname', name)) blocked.add(`name ${name} self`);
  }
  for (const name of [...GUARDED_NAMES, ...SUFFIXES]) {
    if (await isBlocked(1, 'qname', `nothing-here.${name}`)) blocked.add(`name ${name} below`);
  }
  for (const address of ADDRESSES) {
    if (await isBlocked(2, 'ip', address)) blocked.add(`address ${address}`);
  }
  return blocked;
}

const isInside = (address: string, prefix: string): boolean => {
  const [first = '', length = '32'] = prefix.split('/');
  const host = (text: string) => Number(text.split('.')[3]);
  const size = 2 ** (32 - Number(length));
  return host(address) >= host(first) && host(address) < host(first) + size;
};

/** What a warning should name: what is blocked and was not, without what lies below another one. */
function expected(before: ReadonlySet<string>, after: ReadonlySet<string>) {
  const fresh = [...after].filter((each) => !before.has(each)).map((each) => each.split(' '));
  const names = new Set(fresh.flatMap(([kind, name]) => (kind === 'name' ? [name!] : [])));
  const isBelow = (name: string) => [...names].some((other) => name.endsWith(`.${other}`));
  const ranges = OWN.filter((range) =>
    fresh.some(([kind, address]) => kind === 'address' && isInside(address!, range)),
  );
  return { names: [...names].filter((name) => !isBelow(name)).sort(), ranges: ranges.sort() };
}

/** The things that a warning's sentence lists. */
function told(house: House, planned: Parameters<typeof findWarnings>[0]) {
  const listed = (code: string, zone: string): string[] => {
    const [found] = findWarnings(planned, SAFETY).filter(
      (warning) => warning.code === code && warning.zone.startsWith(zone),
    );
    const list = /newly blocks (.+?): /.exec(found?.text ?? '')?.[1];
    return (list?.split(', ') ?? []).map((thing) => thing.replace(' (own network)', '')).sort();
  };
  expect(house.publisher.catalogue).toBe(planned.catalogue);
  return { names: listed('never-block', 'rpz.'), ranges: listed('own-address', 'block.') };
}

describe('what a change newly blocks of the guarded', () => {
  it.each([11, 22, 33, 44])('is what asking for each of them finds (seed %i)', async (seed) => {
    const random = createRandom(seed);
    const house = await openHouse();
    await house.edit((edit) => {
      for (const name of ['one', 'two', 'three', 'four']) {
        createTarget(edit, { name, supportsAllow: true });
        changeIndicators(edit, edit.draft.model.targets.size, { add: ['203.0.113.1', 'k.net'] });
      }
      const attachments = (kind: string) => [
        { kind: 'target', id: 1, action: { kind } },
        { kind: 'target', id: 2, action: { kind: 'allow' } },
      ];
      createPolicy(edit, { name: 'corp', type: 'dns', attachments: attachments('nxdomain') });
      createPolicy(edit, { name: 'fw', type: 'ip', attachments: attachments('block') });
    });
    let warned = 0;
    let before = await blockedNow(house);
    for (let round = 0; round < 200; round++) {
      const state = house.publisher.state;
      const { zones } = await house.edit(randomEdit(random));
      const after = await blockedNow(house);
      const planned = {
        before: state,
        after: house.publisher.state,
        changes: zones,
        catalogue: house.publisher.catalogue,
      };
      const found = told(house, planned);
      expect(found, `seed ${seed}, round ${round}`).toEqual(expected(before, after));
      warned += found.names.length + found.ranges.length;
      before = after;
    }
    expect(warned).toBeGreaterThan(10);
  });
});
