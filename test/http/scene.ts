import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { getPublicSuffix } from 'tldts';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { afterEach, expect } from 'vitest';
import { API_PREFIX, type ApiOptions, buildApi, DEFAULT_API_LIMITS } from '../../src/http/index.ts';
import type { Problem } from '../../src/http/problem.ts';
import type { AccountId, Role } from '../../src/policy/model.ts';
import { createPublisher, type RunningPublisher } from '../../src/publish/create-publisher.ts';
import {
  createAccount,
  createToken,
  type Edit,
  type EditSettings,
  memberKinds,
} from '../../src/publish/edits/index.ts';
import type { Store } from '../../src/publish/store-port.ts';
import type { ZoneDefaults } from '../../src/publish/zone-names.ts';
import { openStore } from '../../src/store/index.ts';
import { safetySettings } from '../support/safety.ts';
import { convergenceOf, type DeviceDeeds, deviceDeeds } from './convergence-double.ts';
import { createFeedsDouble, type FeedsDouble, PRESETS } from './feeds-double.ts';
import { createLoggingDouble } from './logging-double.ts';

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Json;
  readonly text: string;
}

/** JSON that a test looks into by name; what it finds goes to `expect` or into a text. */
export interface Json {
  readonly [key: string]: Json;
}

export interface Scene {
  readonly app: FastifyInstance;
  readonly publisher: RunningPublisher;
  readonly store: Store;
  /** Runs no feed by itself. */
  readonly feeds: FeedsDouble;
  /** What devices have done; a test adds to it. */
  readonly deeds: DeviceDeeds;
  readonly accountId: AccountId;
  readonly tokens: Readonly<Record<Role, string>>;
  /** The clock of the publisher, in Unix milliseconds: tests may move it. */
  readonly time: { now: number };
  /** One request; `as` is the role of its token, null for none. */
  call(method: string, url: string, body?: unknown, as?: Role | null): Promise<Answer>;
  /** The same, which must succeed. */
  ok(method: string, url: string, body?: unknown, as?: Role): Promise<Json>;
  /** The same, which must be refused. */
  refused(method: string, url: string, body?: unknown, as?: Role | null): Promise<Problem>;
  /** Makes a second account, with a token of each role and callers of its own. */
  addAccount(
    label: string,
  ): Promise<Pick<Scene, 'accountId' | 'tokens' | 'call' | 'ok' | 'refused'>>;
  /** Edits as the server itself does, which may make what is predefined. */
  asServer<Value>(edit: (edit: Edit) => Value): Promise<Value>;
}

/** The API over a real publisher and a real SQLite file, which are gone after the test. */
export async function scene(
  options: Partial<ApiOptions> = {},
  edits: Partial<EditSettings> = {},
  zones: Partial<ZoneDefaults> = {},
): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-http-'));
  endings.push(() => rmSync(folder, { recursive: true, force: true }));
  const store = await openStore({ path: join(folder, 'sluice.db'), keyFile: join(folder, 'key') });
  endings.push(() => store.close());
  const time = { now: Date.UTC(2030, 0, 31, 12) };
  const publisher = await createPublisher({
    store,
    defaults: {
      root: 'sluice.internal',
      refresh: 900,
      retry: 300,
      expire: 1_209_600,
      minimum: 60,
      apexTtl: 60,
      ...zones,
    },
    limits: { revisionsMax: 100, octetsMax: 1_000_000 },
    clock: () => time.now,
  });
  const settings: EditSettings = {
    root: 'sluice.internal.',
    ownerOctetsMax: 200,
    isPublicSuffix: (name) => getPublicSuffix(name) === name,
    memberKinds: (members) => memberKinds(publisher.catalogue, members),
    zones: () => publisher.state.zones,
    keyAlgorithms: ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'],
    randomBytes: (octets) => randomBytes(octets),
    ...edits,
  };
  const { accountId, tokens } = await firstRun(publisher, settings);
  const deeds = deviceDeeds();
  const feeds = createFeedsDouble({ model: () => publisher.model, clock: () => time.now });
  const app = buildApi({
    publisher,
    edits: settings,
    safety: safetySettings(),
    version: '0.0.0',
    limits: DEFAULT_API_LIMITS,
    sessions: { lifetimeMs: 43_200_000, idleTimeoutMs: 3_600_000, secureCookie: false },
    passwordCost: { N: 1_024, r: 8, p: 1 },
    clock: () => time.now,
    monotonicMs: () => performance.now(),
    convergence: convergenceOf(deeds, { publisher, clock: () => time.now }),
    feeds,
    feedPresets: PRESETS,
    logging: createLoggingDouble(),
    isServing: () => true,
    collectMetrics: () => [],
    ...options,
  });
  endings.push(() => app.close());
  holdAnswersToTheirSchemas(app);
  return {
    app,
    publisher,
    store,
    feeds,
    deeds,
    accountId,
    tokens,
    time,
    ...callers(app, tokens),
    async addAccount(label) {
      const added = await firstRun(publisher, settings, label);
      return { ...added, ...callers(app, added.tokens) };
    },
    asServer,
  };

  async function asServer<Value>(edit: (edit: Edit) => Value): Promise<Value> {
    const { value } = await publisher.change({ actor: 'server', action: 'test' }, (draft) =>
      edit({ draft, settings, accountId, system: true }),
    );
    return value;
  }
}

/** A schema, or one for each media type. */
type Answered = TSchema & {
  readonly content?: Readonly<Record<string, { readonly schema: TSchema }>>;
};

/** Every good answer of every test is exactly what the OpenAPI document says: nothing less, nothing more. */
function holdAnswersToTheirSchemas(app: FastifyInstance): void {
  app.addHook('preSerialization', async (request, reply, payload) => {
    const { response } = request.routeOptions.schema ?? {};
    const declared = (response as Record<number, Answered> | undefined)?.[reply.statusCode];
    const schema = declared?.content?.['application/json']?.schema ?? declared;
    if (schema === undefined) return payload;
    expect([...Value.Errors(schema, payload)], request.url).toEqual([]);
    expect(payload, request.url).toEqual(Value.Clean(schema, structuredClone(payload)));
    return payload;
  });
}

const ROLES: readonly Role[] = ['admin', 'editor', 'viewer', 'sensor'];

async function firstRun(publisher: RunningPublisher, settings: EditSettings, label = 'acme') {
  const { value } = await publisher.change({ actor: 'server', action: 'first run' }, (draft) => {
    const account = createAccount({ draft, settings, system: true }, { label, name: label });
    const edit: Edit = { draft, settings, accountId: account.id, system: true };
    const secrets = ROLES.map((role) => [role, createToken(edit, { name: role, role }).secret]);
    return {
      accountId: account.id,
      tokens: Object.fromEntries(secrets) as Record<Role, string>,
    };
  });
  return value;
}

function callers(
  app: FastifyInstance,
  tokens: Readonly<Record<Role, string>>,
): Pick<Scene, 'call' | 'ok' | 'refused'> {
  const call: Scene['call'] = async (method, url, body, as = 'admin') => {
    const isText = typeof body === 'string' || body instanceof Uint8Array;
    const response = await app.inject({
      method: method as NonNullable<InjectOptions['method']>,
      url: /^\/(api\/|health|metrics)/.test(url) ? url : `${API_PREFIX}${url}`,
      headers: {
        ...(as === null ? {} : { authorization: `Bearer ${tokens[as]}` }),
        ...(isText ? { 'content-type': 'text/plain' } : {}),
      },
      ...(body === undefined ? {} : { payload: isText ? Buffer.from(body) : (body as object) }),
    });
    const type = String(response.headers['content-type'] ?? '');
    const parsed = type.includes('json') ? response.json<Json>() : {};
    return {
      status: response.statusCode,
      headers: response.headers,
      body: parsed,
      text: response.body,
    };
  };
  return {
    call,
    async ok(method, url, body, as) {
      const answer = await call(method, url, body, as);
      expect(answer.status, answer.text).toBeLessThan(300);
      // A change that waits for a confirmation was not made, whatever the status says.
      expect(answer.status === 202 && 'held' in answer.body, answer.text).toBe(false);
      return answer.body;
    },
    async refused(method, url, body, as) {
      const answer = await call(method, url, body, as);
      expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      return answer.body as unknown as Problem;
    },
  };
}
