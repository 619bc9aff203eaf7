import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  axfr,
  createTsigKey,
  eventually,
  keepPeersTidy,
  type Named,
  requirePeer,
  startNamed,
} from './peers/index.ts';
import { type SluicePrimary, startPrimary } from './sluice-primary.ts';

keepPeersTidy();

const UPSTREAM = 'rpz.vendor.example';
const ZONE = 'rpz.corp.main.sluice.internal';
const BALLAST = 2_000;

/** What a vendor publishes: many rules, and a few that change. */
function vendorZone(serial: number, rules: readonly string[]): string {
  const ballast = Array.from({ length: BALLAST }, (_, at) => `ballast${at}.example CNAME .`);
  return [
    '$TTL 60',
    `@ SOA ns.vendor.example. hostmaster.vendor.example. ${serial} 86400 86400 1209600 60`,
    '@ NS localhost.',
    ...ballast,
    ...rules,
    '',
  ].join('\n');
}

describe.skipIf(!requirePeer('named', 'dig'))(
  'a vendor’s zone on BIND, taken into a policy',
  () => {
    const key = createTsigKey('vendor.key');
    const firstRules = ['evil.example CNAME .', '*.evil.example CNAME .', 'gone.example CNAME .'];
    let sluice: SluicePrimary;
    let vendor: Named;
    let feedId: number;

    beforeAll(async () => {
      sluice = await startPrimary();
      vendor = await startNamed({
        primaries: [{ zone: UPSTREAM, text: vendorZone(1, firstRules), key, notify: [sluice] }],
      });
      const { target } = await sluice.ok('POST', '/targets', { name: 'Vendor' });
      const { feed } = await sluice.ok('POST', '/feeds', {
        targetId: target.id,
        source: {
          kind: 'transfer',
          zone: `${UPSTREAM}.`,
          form: 'rpz',
          address: vendor.address,
          port: vendor.port,
          key: { name: key.name, algorithm: 'hmac-sha256', secret: key.secret },
        },
        schedule: { kind: 'interval', seconds: 3_600 },
      });
      feedId = Number(feed.id);
      const attachments = [{ kind: 'target', id: target.id, action: { kind: 'nodata' } }];
      const { policy } = await sluice.ok('POST', '/policies', {
        name: 'corp',
        type: 'dns',
        attachments,
      });
      await sluice.addDevice({
        name: 'reader',
        type: 'dns',
        policyId: Number(policy.id),
        source: '127.0.0.0/8',
      });
    });
    afterAll(async () => {
      await vendor?.stop();
      await sluice?.stop();
    });

    /** Owners of the policy's rules that begin like this. */
    const rulesOf = async (pattern: RegExp): Promise<string[]> => {
      const lines = await axfr(sluice, ZONE);
      return lines.filter((line) => pattern.test(line)).sort();
    };
    const runs = async () => (await sluice.ok('GET', `/feeds/${feedId}/runs`)).items;

    it('is there after the first run, with the actions of the policy', async () => {
      await eventually(
        'the zone is taken in',
        async () => (await rulesOf(/^ballast/)).length === BALLAST,
      );
      const rules = await rulesOf(/^(\*\.)?(evil|gone)\.example\./);
      expect(rules.map((line) => line.split(' ')[0])).toEqual([
        `*.evil.example.${ZONE}.`,
        `evil.example.${ZONE}.`,
        `gone.example.${ZONE}.`,
      ]);
      expect(rules.every((line) => line.endsWith('CNAME *.'))).toBe(true);
    });

    it('follows the vendor’s NOTIFY at once, and by IXFR', async () => {
      await vendor.replaceZone(
        UPSTREAM,
        vendorZone(2, ['evil.example CNAME .', '*.evil.example CNAME .', 'fresh.example CNAME .']),
      );
      await eventually(
        'the change is taken in',
        async () => (await rulesOf(/^fresh\./)).length === 1,
      );
      expect(await rulesOf(/^gone\./)).toEqual([]);
      const [last] = (await runs()) as unknown as Record<string, unknown>[];
      expect(last).toMatchObject({ end: 'published', added: 1, removed: 1 });
      expect(String(last!.actor)).toContain('NOTIFY');
      expect(Number(last!.octets)).toBeLessThan(2_000);
    });

    it('keeps what it has while the vendor is away', async () => {
      await vendor.stop();
      await sluice.ok('POST', `/feeds/${feedId}/run`);
      await eventually('the run has failed', async () => {
        const [last] = (await runs()) as unknown as { end: string }[];
        return last?.end === 'failed';
      });
      expect(await rulesOf(/^ballast/)).toHaveLength(BALLAST);
    });
  },
);
