import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Endpoint,
  endpointFor,
  type FakeInternet,
  keepPeersTidy,
  type Peer,
  requirePeer,
  startFakeInternet,
  startNamed,
  startUnbound,
  untilVerdict,
} from './peers/index.ts';
import { createDevice, type SluiceStage, startSluiceStage } from './sluice-stage.ts';

keepPeersTidy();

/** What all policies hold, so that going from one to another is a small difference. */
const BALLAST_HOSTS = 2_000;
const POLICIES = ['north', 'east', 'south', 'west'] as const;
type PolicyName = (typeof POLICIES)[number];
const NAMES: Record<PolicyName, string> = {
  north: 'north.plain.example',
  east: 'east.plain.example',
  south: 'south.plain.example',
  west: 'west.plain.example',
};

/** Each policy blocks a name of its own beside what all of them hold. */
async function createPolicies(stage: SluiceStage): Promise<Record<PolicyName, number>> {
  const ballast = await createTarget(
    stage,
    'ballast',
    Array.from({ length: BALLAST_HOSTS }, (_, at) => `host:ballast${at}.plain.example`),
  );
  const made = await Promise.all(
    POLICIES.map(async (name) => {
      const own = await createTarget(stage, name, [`host:${NAMES[name]}`]);
      const attachments = [ballast, own].map((id) => ({ kind: 'target', id, action: 'nxdomain' }));
      const { policy } = await stage.call<{ policy: { id: number } }>('POST', '/policies', {
        name,
        type: 'dns',
        attachments: attachments.map(({ action, ...rest }) => ({
          ...rest,
          action: { kind: action },
        })),
      });
      return [name, policy.id] as const;
    }),
  );
  return Object.fromEntries(made) as Record<PolicyName, number>;
}

async function createTarget(
  stage: SluiceStage,
  name: string,
  add: readonly string[],
): Promise<number> {
  const { target } = await stage.call<{ target: { id: number } }>('POST', '/targets', { name });
  await stage.call('PATCH', `/targets/${target.id}/indicators`, { add });
  return target.id;
}

interface Followed {
  readonly resolver: Peer;
  readonly deviceId: number;
  readonly zone: string;
}

describe.skipIf(!requirePeer('named', 'unbound', 'dig'))(
  'resolvers that take their own zone',
  () => {
    let internet: FakeInternet;
    let stage: SluiceStage;
    let policies: Record<PolicyName, number>;
    const followed: Followed[] = [];

    beforeAll(async () => {
      const hosts = Object.values(NAMES).map(
        (name, at) => [name, [`198.51.100.${at + 1}`, `2001:db8:b::${at + 1}`]] as const,
      );
      internet = await startFakeInternet({ hosts: Object.fromEntries(hosts) });
      stage = await startSluiceStage();
      policies = await createPolicies(stage);
      followed.push(await followWithBind(await endpointFor('named')));
      followed.push(await followWithUnbound(await endpointFor('unbound')));
    });
    afterAll(async () => {
      for (const { resolver } of followed) await resolver.stop();
      await stage?.stop();
      await internet?.stop();
    });

    const followWithBind = async (listen: Endpoint): Promise<Followed> => {
      const device = await createDevice(stage, {
        name: 'bind',
        policyId: policies.north,
        profile: 'bind',
        access: 'key',
        notify: [listen],
      });
      const zone = 'rpz.bind.dev.main.sluice.internal';
      const rpz = { zone, primary: stage.dns, key: device.key! };
      return {
        resolver: await startNamed({ listen, internet, rpz }),
        deviceId: device.id,
        zone,
      };
    };
    const followWithUnbound = async (listen: Endpoint): Promise<Followed> => {
      const device = await createDevice(stage, {
        name: 'unbound',
        policyId: policies.north,
        profile: 'unbound',
        access: 'source',
        sources: [listen.address, '127.0.0.1'],
        notify: [listen],
      });
      const zone = 'rpz.unbound.dev.main.sluice.internal';
      const rpz = { zone, primary: stage.dns };
      const extraOptions = '  cache-max-ttl: 0';
      return {
        resolver: await startUnbound({ listen, internet, rpz, extraOptions }),
        deviceId: device.id,
        zone,
      };
    };

    const expectEnforced = async (name: PolicyName): Promise<void> => {
      for (const { resolver } of followed) {
        await untilVerdict(resolver, NAMES[name], 'nxdomain', { withinMs: 20_000 });
        for (const other of POLICIES) {
          if (other !== name) await untilVerdict(resolver, NAMES[other], 'resolved');
        }
      }
    };
    const transfersOf = ({ zone }: Followed): string[] =>
      stage.transfers.filter((transfer) => transfer.zone === `${zone}.`).map(({ kind }) => kind);

    it('begin with the policy that they were assigned at first', async () => {
      await expectEnforced('north');
      for (const each of followed) expect(transfersOf(each)).toEqual(['AXFR']);
    });

    it('follow three reassignments by NOTIFY and IXFR, with the configuration that they had', async () => {
      for (const name of ['east', 'south', 'west'] as const) {
        for (const { deviceId } of followed) {
          await stage.call('PUT', `/devices/${deviceId}/policy`, { policyId: policies[name] });
        }
        await expectEnforced(name);
      }
      for (const each of followed) {
        const [first, ...later] = transfersOf(each);
        expect(first).toBe('AXFR');
        expect(later.length).toBeGreaterThanOrEqual(3);
        expect(new Set(later)).toEqual(new Set(['IXFR']));
      }
    });

    it('follow the policy through a new name and through changes of its targets', async () => {
      await stage.call('PATCH', `/policies/${policies.west}`, { name: 'far' });
      const late = await createTarget(stage, 'late', [`host:${NAMES.north}`]);
      await stage.call('POST', `/policies/${policies.west}/attachments`, {
        kind: 'target',
        id: late,
        action: { kind: 'nodata' },
      });
      for (const each of followed) {
        await untilVerdict(each.resolver, NAMES.north, 'nodata', { withinMs: 20_000 });
        expect(new Set(transfersOf(each).slice(1))).toEqual(new Set(['IXFR']));
      }
    });
  },
);
