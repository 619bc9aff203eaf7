import { formatName } from '../../src/dns/index.ts';
import type { Action } from '../../src/policy/action.ts';
import type { AccountId, Policy } from '../../src/policy/model.ts';
import type { RunningPublisher } from '../../src/publish/create-publisher.ts';
import {
  changeEntries,
  changeIndicators,
  createBehaviour,
  createBundle,
  createDevice,
  createList,
  createPolicy,
  createTarget,
  type Edit,
} from '../../src/publish/edits/index.ts';
import { sideOf, zoneText } from '../../src/zone/index.ts';
import type { Random } from '../support/random.ts';

const ACTIONS: readonly Action[] = [
  { kind: 'nxdomain' },
  { kind: 'nodata' },
  { kind: 'drop' },
  { kind: 'allow' },
  { kind: 'redirect', to: 'garden.example.' },
  { kind: 'local-data', records: [{ type: 'A', data: '203.0.113.80' }] },
];

/** Targets and bundles of a server. */
export function fillCatalogue(edit: Edit, random: Random): void {
  for (let index = 0; index < 6; index++) {
    const target = createTarget(edit, {
      name: `Target ${index}`,
      description: `described "${index}"\nin two lines`,
      attributes:
        // Each bundle holds one target with addresses, so that IP policies may attach it.
        index === 0
          ? { severity: 4, threatType: 'malware' }
          : { severity: random.below(6), threatType: random.pick(['malware', 'scanner']) },
      supportsAllow: index !== 5,
    });
    changeIndicators(edit, target.id, { replace: indicators(random, 40), confirmBroad: true });
  }
  createBundle(edit, { name: 'worst', filter: { severityMin: 3 } });
  createBundle(edit, { name: 'Malware', filter: { threatType: ['malware'] } });
}

/** One account with some of everything, over the targets and bundles that there are. */
export function fillAccount(edit: Edit, random: Random): void {
  const { draft } = edit;
  const { model } = draft;
  const behaviours = ['walled', 'local'].map((name, index) =>
    createBehaviour(edit, { name, description: 'ours', action: ACTIONS[4 + index] }),
  );
  const lists = ['Staff', 'partners', 'noise'].map((name) => {
    const action = random.pick(['block', 'allow'] as const);
    const list = createList(edit, { name, action, description: `of ${name}` });
    const add = indicators(random, 15).map((value, index) => ({
      value: value.replace(/^host:/, 'host:'),
      comment: index % 3 === 0 ? `comment "${index}", and more` : '',
      expiresAt: index % 4 === 0 ? draft.now + 3_600_000 * (1 + random.below(3)) : null,
    }));
    changeEntries(edit, list.id, { add: [...add, '192.0.2.10-192.0.2.77'], confirmBroad: true });
    return list;
  });
  const targets = [...model.targets.values()].filter(({ origin }) => origin !== 'built-in');
  const choice = (type: Policy['type']) => {
    if (type === 'ip') return { kind: random.pick(['block', 'allow'] as const) };
    if (random.chance(0.3)) return { kind: 'behaviour', id: random.pick(behaviours).id } as const;
    return random.pick(ACTIONS);
  };
  const policies = (['dns', 'dns', 'ip', 'ip'] as const).map((type, index) => {
    const attachments = [
      ...targets
        .filter(() => random.chance(0.5))
        .map(({ id, supportsAllow }) => {
          const action = choice(type);
          const isRefused = action.kind === 'allow' && !supportsAllow;
          return { kind: 'target', id, ...(isRefused ? {} : { action }) };
        }),
      ...[...draft.model.bundles.values()]
        .filter(() => random.chance(0.5))
        .map(({ id }) => ({ kind: 'bundle', id })),
      ...lists
        .filter(() => random.chance(0.6))
        .map(({ id }) => ({
          kind: 'list',
          id,
          ...(type === 'dns' ? { action: choice(type) } : {}),
        })),
    ];
    return createPolicy(edit, {
      name: `p${index}`,
      type,
      description: `policy ${index}`,
      ttl: 30 + random.below(300),
      ...(type === 'ip' && random.chance(0.5) ? { hostsMax: 20 } : {}),
      ...(type === 'dns' ? { defaultAction: { kind: 'behaviour', id: behaviours[0]!.id } } : {}),
      attachments,
      excludedTargets: targets.filter(() => random.chance(0.2)).map(({ id }) => id),
    });
  });
  for (const [index, policy] of policies.entries()) {
    createDevice(edit, {
      name: `dev${index}`,
      type: policy.type,
      description: 'a device',
      ...(random.chance(0.5) ? { sources: [`198.51.100.${index}/32`] } : {}),
      notify: [{ address: '127.0.0.1', port: 5_353 }],
      recordsMax: 10_000 + index,
      policyId: random.chance(0.8) ? policy.id : null,
    });
  }
}

/** Names and addresses that cover each other now and then. */
function indicators(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => {
    const name = `${random.pick(['a', 'b', 'c.d', 'e'])}.${random.pick(['x', 'y', 'z'])}.example`;
    const address = `${random.pick([192, 203])}.0.${random.pick([2, 113])}.${random.below(256)}`;
    return random.pick([
      name,
      `host:${name}`,
      `*.${name}`,
      address,
      `${address}/28`,
      '2001:db8::/48',
    ]);
  }).map((text) => text.replace(/(\d+)\/28$/, (_, last: string) => `${Number(last) & 0xf0}/28`));
}

/**
 * Everything that the zones of an account hold below their apex, by policy or device and side; names
 * of the zones themselves, which lie below other labels elsewhere, are taken out.
 */
export function contentsOf(
  { state, catalogue }: RunningPublisher,
  accountId: AccountId,
): Record<string, readonly string[]> {
  const { model, zones } = state;
  const contents: Record<string, readonly string[]> = {};
  for (const zone of zones.values()) {
    const policy = zone.policyId === null ? undefined : model.policies.get(zone.policyId);
    const device = zone.deviceId === null ? undefined : model.devices.get(zone.deviceId);
    if (zone.former || (device ?? policy)?.accountId !== accountId || policy?.predefined) continue;
    const text = Buffer.concat([...zoneText(zone, catalogue)]).toString('latin1');
    const rules = text.slice(text.lastIndexOf('$TTL'));
    const lines = rules.replaceAll(formatName(zone.settings.origin), 'ORIGIN').split('\n');
    const holder = device === undefined ? `policy ${policy?.name}` : `device ${device.name}`;
    contents[`${holder} ${sideOf(zone.body)}`] = lines.sort();
  }
  return contents;
}
