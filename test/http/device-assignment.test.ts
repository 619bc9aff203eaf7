import { describe, expect, it } from 'vitest';
import { type Scene, scene } from './scene.ts';

/** Policies 1 "corp" and 2 "branch" (DNS) and 3 "fw" (IP); devices 1 to 4 (DNS) and 5 (IP). */
async function withDevices(): Promise<Scene> {
  const made = await scene();
  const { ok } = made;
  for (const [name, type] of [
    ['corp', 'dns'],
    ['branch', 'dns'],
    ['fw', 'ip'],
  ]) {
    await ok('POST', '/policies', { name, type });
  }
  for (const [name, policyId] of [
    ['r1', 1],
    ['r2', 2],
    ['r3', null],
    ['r4', 1],
  ]) {
    await ok('POST', '/devices', { name, type: 'dns', profile: 'bind', policyId });
  }
  await ok('POST', '/devices', { name: 'f5', type: 'ip', description: 'At the border' });
  return made;
}

const policiesOf = ({ publisher }: Scene) =>
  [...publisher.model.devices.values()].map(({ policyId }) => policyId);

describe('assigning a policy to many devices', () => {
  it('is one change, which serves each of them the policy in its own zone', async () => {
    const made = await withDevices();
    const { ok, publisher } = made;
    const answer = await ok('POST', '/policies/1/devices', { add: [2, 3, 4], remove: [1] });
    expect(answer).toMatchObject({
      policy: { id: 1, name: 'corp' },
      devices: [
        { id: 2, name: 'r2' },
        { id: 3, name: 'r3' },
        { id: 4, name: 'r4' },
      ],
    });
    expect(policiesOf(made)).toEqual([null, 1, 1, 1, null]);
    const [change] = await publisher.changes({ limit: 1 } as never);
    expect(change).toMatchObject({ action: 'policy.assign 1', actor: expect.any(String) });
  });

  it('happens whole or not at all, and every refusal names its device', async () => {
    const made = await withDevices();
    const problem = await made.refused('POST', '/policies/1/devices', {
      add: [3, 5, 77, 4],
      remove: [2, 4],
    });
    expect(problem).toMatchObject({ status: 422 });
    expect(problem.errors).toMatchObject([
      {
        type: '/api/v1/problems/reference-unknown',
        field: 'add[2]',
        value: 77,
        rule: 'There is no device 77.',
      },
      {
        type: '/api/v1/problems/policy-type',
        field: 'add[1]',
        value: 5,
        rule: 'Device "f5" is of type ip and pulls policies of type ip; "corp" is of type dns.',
      },
      {
        type: '/api/v1/problems/invalid-value',
        field: 'remove[0]',
        value: 2,
        rule: 'Device "r2" does not pull policy "corp".',
      },
      {
        type: '/api/v1/problems/invalid-value',
        field: 'remove[1]',
        value: 4,
        rule: 'Device "r4" is to be added and removed at the same time.',
      },
    ]);
    expect(policiesOf(made)).toEqual([1, 2, null, 1, null]);
  });

  it('needs a policy that is there, and an admin', async () => {
    const { refused } = await withDevices();
    expect(await refused('POST', '/policies/9/devices', { add: [1] })).toMatchObject({
      status: 404,
    });
    expect(await refused('POST', '/policies/1/devices', { add: [1] }, 'editor')).toMatchObject({
      status: 403,
    });
  });
});

describe('the list of devices', () => {
  it('is searched, filtered and sorted', async () => {
    const { ok } = await withDevices();
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['type=ip', ['f5']],
      ['profile=bind', ['r1', 'r2', 'r3', 'r4']],
      ['policyId=1', ['r1', 'r4']],
      ['unassigned=true', ['r3', 'f5']],
      ['unassigned=false', ['r1', 'r2', 'r4']],
      ['q=BORDER', ['f5']],
      ['type=dns&unassigned=true', ['r3']],
      ['sort=-name', ['r4', 'r3', 'r2', 'r1', 'f5']],
      ['sort=policy', ['r3', 'f5', 'r2', 'r1', 'r4']],
      ['sort=type&limit=2', ['r1', 'r2']],
      ['policyId=99', []],
    ];
    for (const [query, names] of cases) {
      const { items } = (await ok('GET', `/devices?${query}`)) as unknown as {
        items: { name: string }[];
      };
      expect(
        items.map(({ name }) => name),
        query,
      ).toEqual(names);
    }
  });
});

describe('two people who change one device', () => {
  it('cannot overwrite each other', async () => {
    const { app, call, tokens } = await withDevices();
    const { headers } = await call('GET', '/devices/1');
    const etag = String(headers.etag);
    const patch = (description: string, ifMatch: string) =>
      app.inject({
        method: 'PATCH',
        url: '/api/v1/devices/1',
        headers: { authorization: `Bearer ${tokens.admin}`, 'if-match': ifMatch },
        payload: { description },
      });
    const first = await patch('first', etag);
    expect(first.statusCode).toBe(200);
    expect(first.headers.etag).not.toBe(etag);
    const second = await patch('second', etag);
    expect(second.statusCode).toBe(412);
    expect(second.json()).toMatchObject({ type: '/api/v1/problems/entity-changed' });
    expect((await patch('second', String(first.headers.etag))).statusCode).toBe(200);
  });

  it('can try a change first', async () => {
    const { ok, publisher } = await withDevices();
    const before = publisher.model;
    expect(await ok('PUT', '/devices/3/policy?dryRun=true', { policyId: 1 })).toMatchObject({
      dryRun: true,
    });
    expect(publisher.model).toBe(before);
  });
});
