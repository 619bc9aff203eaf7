import { describe, expect, it } from 'vitest';
import { createLoggingDouble } from './logging-double.ts';
import { scene } from './scene.ts';

const DEFAULTS = { level: 'info', queries: false, transfers: true };

describe('the log', () => {
  it('is switched by what is named, and tells what is written now', async () => {
    const logging = createLoggingDouble();
    const { ok } = await scene({ logging });
    expect(await ok('GET', '/server/logging')).toEqual({ logging: DEFAULTS });
    const changed = { ...DEFAULTS, level: 'debug', queries: true };
    const answer = await ok('PATCH', '/server/logging', { level: 'debug', queries: true });
    expect(answer).toEqual({ logging: changed });
    expect(await ok('GET', '/server/logging')).toEqual({ logging: changed });
    expect(logging.settings()).toEqual(changed);
  });

  it('leaves a row in the audit trail that says who switched what', async () => {
    const { ok } = await scene();
    await ok('PATCH', '/server/logging', { queries: true, transfers: false });
    const { items } = (await ok('GET', '/audit')) as unknown as { items: object[] };
    expect(items[0]).toMatchObject({
      actor: 'token admin',
      action: 'logging.update queries=true transfers=false',
      account: { name: 'acme' },
      // It is done for the account, of which nothing changes.
      entities: [{ kind: 'account', name: 'acme', before: {}, after: {} }],
      zones: [],
    });
  });

  it('gives no zone a new serial', async () => {
    const { ok, publisher } = await scene();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const before = publisher.zones();
    await ok('PATCH', '/server/logging', { level: 'warn' });
    expect(publisher.zones()).toEqual(before);
  });

  it.each([
    [{ level: 'loud' }, 'level'],
    [{ queries: 'sometimes' }, 'queries'],
    [{ secrets: true }, 'secrets'],
    [{}, 'body'],
  ])('refuses %j, and stays as it was', async (body, field) => {
    const logging = createLoggingDouble();
    const { refused } = await scene({ logging });
    expect(await refused('PATCH', '/server/logging', body)).toMatchObject({ status: 400, field });
    expect(logging.settings()).toEqual(DEFAULTS);
  });

  it('is for admins of the account that runs the server only', async () => {
    const logging = createLoggingDouble();
    const made = await scene({ logging });
    const other = await made.addAccount('other');
    for (const [method, body] of [['GET'], ['PATCH', { queries: true }]] as const) {
      for (const role of ['editor', 'viewer', 'sensor'] as const) {
        expect(await made.refused(method, '/server/logging', body, role)).toMatchObject({
          status: 403,
          field: 'role',
        });
      }
      expect(await other.refused(method, '/server/logging', body)).toMatchObject({
        status: 403,
        field: 'account',
        value: 'other',
      });
      expect((await made.call(method, '/server/logging', body, null)).status).toBe(401);
    }
    expect(logging.settings()).toEqual(DEFAULTS);
  });
});
