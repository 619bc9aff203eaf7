import { describe, expect, it } from 'vitest';
import { createPolicy } from '../../src/publish/edits/index.ts';
import { type Json, type Scene, scene } from './scene.ts';

const RPZ = 'rpz.corp.acme.sluice.internal.';
const BLOCK = 'block.fw.acme.sluice.internal.';
const ALLOW = 'allow.fw.acme.sluice.internal.';

async function withPolicies(): Promise<Scene> {
  const made = await scene();
  const { ok } = made;
  await ok('POST', '/targets', { name: 'kits' });
  await ok('PUT', '/targets/1/indicators', 'evil.example\n192.0.2.0/24\n');
  await ok('POST', '/lists', { name: 'own', action: 'allow' });
  await ok('PUT', '/lists/1/entries', { entries: ['192.0.2.7'] });
  const target = { kind: 'target', id: 1 };
  await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments: [target] });
  await ok('POST', '/policies', {
    name: 'fw',
    type: 'ip',
    attachments: [target, { kind: 'list', id: 1 }],
  });
  return made;
}

async function later({ ok, time }: Scene, method: string, url: string, body?: unknown) {
  time.now += 5_000;
  return ok(method, url, body);
}

const serialOf = async ({ ok }: Scene, zone: string) =>
  Number((await ok('GET', `/zones/${zone}`)).serial);

/** What a zone says, in its own order. */
async function contentOf({ ok }: Scene, zone: string, serial?: number): Promise<string[]> {
  const query = serial === undefined ? '' : `&serial=${serial}`;
  const { items } = await ok('GET', `/zones/${zone}/records?limit=1000${query}`);
  return (items as unknown as Json[]).map(({ owner, data }) => `${owner} ${data}`);
}

describe('a rollback', () => {
  it('serves an earlier content under a new, higher serial', async () => {
    const made = await withPolicies();
    const first = await serialOf(made, RPZ);
    const before = await contentOf(made, RPZ);
    await later(made, 'PUT', '/targets/1/indicators', 'other.example\n198.51.100.0/24\n');
    const second = await serialOf(made, RPZ);
    const answer = await later(made, 'POST', '/policies/1/rollback', { serial: first });
    const third = await serialOf(made, RPZ);
    expect(third).toBeGreaterThan(second);
    expect(answer).toMatchObject({
      policy: {
        id: 1,
        rollback: { at: '2030-01-31T12:00:10.000Z', serials: { [RPZ]: first } },
      },
      zones: [{ zone: RPZ, fromSerial: second, serial: third, recordsAdded: 3, recordsRemoved: 3 }],
    });
    expect(await contentOf(made, RPZ)).toEqual(before);
    expect(await made.ok('GET', `/zones/${RPZ}/compare?from=${first}`)).toMatchObject({
      removed: 0,
      added: 0,
    });
  });

  it('stays whatever happens to the members, until it is released', async () => {
    const made = await withPolicies();
    const first = await serialOf(made, RPZ);
    const before = await contentOf(made, RPZ);
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['more.example'] });
    await later(made, 'POST', '/policies/1/rollback', { serial: first });
    const kept = await serialOf(made, RPZ);
    const change = await later(made, 'PATCH', '/targets/1/indicators', { add: ['last.example'] });
    expect((change.zones as unknown as Json[]).map(({ zone }) => zone)).not.toContain(RPZ);
    expect(await serialOf(made, RPZ)).toBe(kept);
    expect(await contentOf(made, RPZ)).toEqual(before);
    const released = await later(made, 'DELETE', '/policies/1/rollback');
    expect(released).toMatchObject({
      policy: { rollback: null },
      zones: [{ zone: RPZ, fromSerial: kept, recordsAdded: 4, recordsRemoved: 0 }],
    });
    const now = await contentOf(made, RPZ);
    expect(now).toEqual(expect.arrayContaining(['more.example .', 'last.example .']));
  });

  it('takes both zones of an IP policy to one moment', async () => {
    const made = await withPolicies();
    const moments: { block: number; allow: number; content: string[][] }[] = [];
    const remember = async () =>
      moments.push({
        block: await serialOf(made, BLOCK),
        allow: await serialOf(made, ALLOW),
        content: [await contentOf(made, BLOCK), await contentOf(made, ALLOW)],
      });
    await remember();
    // Moves an address from one zone to the other, then adds to the blocking one only.
    await later(made, 'PATCH', '/lists/1/entries', { add: ['192.0.2.8'] });
    await remember();
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['198.51.100.0/24'] });
    await remember();
    await later(made, 'PATCH', '/lists/1/entries', { add: ['192.0.2.9'] });
    const requests = [
      [{ serial: moments[1]!.block }, moments[1]!],
      [{ serial: moments[2]!.block, zone: 'block' }, moments[2]!],
      [{ serial: moments[1]!.allow, zone: 'allow' }, moments[1]!],
      [{ serial: moments[0]!.block }, moments[0]!],
    ] as const;
    for (const [request, moment] of requests) {
      const { policy } = await later(made, 'POST', '/policies/2/rollback', request);
      expect(policy!.rollback!.serials).toEqual({ [BLOCK]: moment.block, [ALLOW]: moment.allow });
      expect([await contentOf(made, BLOCK), await contentOf(made, ALLOW)]).toEqual(moment.content);
    }
  });

  it('can go on to another retained serial', async () => {
    const made = await withPolicies();
    const first = await serialOf(made, RPZ);
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['one.example'] });
    const second = await serialOf(made, RPZ);
    const content = await contentOf(made, RPZ);
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['two.example'] });
    await later(made, 'POST', '/policies/1/rollback', { serial: first });
    await later(made, 'POST', '/policies/1/rollback', { serial: second });
    expect(await contentOf(made, RPZ)).toEqual(content);
    expect(await made.ok('GET', '/policies/1')).toMatchObject({
      rollback: { serials: { [RPZ]: second } },
    });
  });

  it('is told beforehand by a dry run, which changes nothing', async () => {
    const made = await withPolicies();
    const first = await serialOf(made, RPZ);
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['one.example'] });
    const second = await serialOf(made, RPZ);
    const dry = await later(made, 'POST', '/policies/1/rollback?dryRun=true', { serial: first });
    expect(dry).toMatchObject({
      dryRun: true,
      preview: { zones: [{ origin: RPZ, recordsRemoved: 2, recordsAdded: 0 }] },
    });
    expect(await serialOf(made, RPZ)).toBe(second);
    expect(await made.ok('GET', '/policies/1')).toMatchObject({ rollback: null });
  });

  it('reaches the own zones of devices that pull the policy', async () => {
    const made = await withPolicies();
    await made.ok('POST', '/devices', { name: 'office', type: 'dns', policyId: 1 });
    const own = 'rpz.office.dev.acme.sluice.internal.';
    const first = await serialOf(made, RPZ);
    const before = await contentOf(made, own);
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['one.example'] });
    await later(made, 'POST', '/policies/1/rollback', { serial: first });
    expect(await contentOf(made, own)).toEqual(before);
  });

  it('refuses serials that are not retained, other zones, and predefined policies', async () => {
    const made = await withPolicies();
    const { refused } = made;
    const first = await serialOf(made, RPZ);
    expect(await refused('POST', '/policies/1/rollback', { serial: 7 })).toMatchObject({
      status: 404,
      type: '/api/v1/problems/serial-unknown',
      field: 'serial',
      value: 7,
      rule: `Zone ${RPZ} is retained at serial ${first} only.`,
    });
    const wrong = { serial: first, zone: 'allow' };
    expect(await refused('POST', '/policies/1/rollback', wrong)).toMatchObject({
      status: 400,
      field: 'zone',
      rule: 'The policy has the zones rpz.',
    });
    expect(await refused('POST', '/policies/1/rollback', { serial: -1 })).toMatchObject({
      status: 400,
      field: 'serial',
    });
    expect(await refused('DELETE', '/policies/1/rollback')).toMatchObject({
      status: 404,
      rule: 'Policy "corp" is not rolled back.',
    });
    await made.asServer((edit) =>
      createPolicy(edit, { name: 'basic', type: 'dns', predefined: true }),
    );
    expect(await refused('POST', '/policies/3/rollback', { serial: first })).toMatchObject({
      status: 403,
      type: '/api/v1/problems/predefined',
    });
    expect(
      await refused('POST', '/policies/1/rollback', { serial: first }, 'viewer'),
    ).toMatchObject({ status: 403 });
  });

  it('obeys If-Match like every edit', async () => {
    const made = await withPolicies();
    const first = await serialOf(made, RPZ);
    const { headers } = await made.call('GET', '/policies/1');
    const inject = (etag: string) =>
      made.app.inject({
        method: 'POST',
        url: '/api/v1/policies/1/rollback',
        headers: { authorization: `Bearer ${made.tokens.editor}`, 'if-match': etag },
        payload: { serial: first },
      });
    expect((await inject('"other"')).statusCode).toBe(412);
    expect((await inject(String(headers.etag))).statusCode).toBe(200);
  });
});
