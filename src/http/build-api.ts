import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance } from 'fastify';
import { type ApiContext, createApiContext } from './api-context.ts';
import type { ApiOptions } from './api-options.ts';
import { authenticateRequests } from './authenticate.ts';
import { createLogin } from './login.ts';
import { refuseOtherMediaTypes } from './media-types.ts';
import { type ApiMetrics, createApiMetrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { createPasswordDesk } from './password-desk.ts';
import { replyToClientError, replyToFrameworkError, replyWithProblems } from './problem-replies.ts';
import { registerAccounts } from './routes/accounts.ts';
import type { ApiApp } from './routes/app-type.ts';
import { registerAttachments } from './routes/attachments.ts';
import { registerAudit } from './routes/audit.ts';
import { registerBackup } from './routes/backup.ts';
import { registerBatch } from './routes/batch.ts';
import { registerBehaviours } from './routes/behaviours.ts';
import { registerBundles } from './routes/bundles.ts';
import { registerConvergence } from './routes/convergence.ts';
import { registerDeviceKeys } from './routes/device-keys.ts';
import { registerDeviceProfiles } from './routes/device-profiles.ts';
import { registerDevices } from './routes/devices.ts';
import { registerEntitlements } from './routes/entitlements.ts';
import { registerExplain } from './routes/explain.ts';
import { registerExports } from './routes/exports.ts';
import { registerFeedEvents } from './routes/feed-events.ts';
import { registerFeedPresets } from './routes/feed-presets.ts';
import { registerFeeds } from './routes/feeds.ts';
import { registerHeldChanges } from './routes/held-changes.ts';
import { registerHistory } from './routes/history.ts';
import { registerListEntries } from './routes/list-entries.ts';
import { registerListShares } from './routes/list-shares.ts';
import { registerLists } from './routes/lists.ts';
import { registerLogging } from './routes/logging.ts';
import { registerOpenId } from './routes/openid.ts';
import { registerOperations } from './routes/operations.ts';
import { registerPolicies } from './routes/policies.ts';
import { registerProblems } from './routes/problems.ts';
import { registerRollback } from './routes/rollback.ts';
import { registerSession } from './routes/session.ts';
import { registerTargetIndicators } from './routes/target-indicators.ts';
import { registerTargets } from './routes/targets.ts';
import { takeTextBodies } from './routes/text-body.ts';
import { registerTokens } from './routes/tokens.ts';
import { registerUsers } from './routes/users.ts';
import { registerZones } from './routes/zones.ts';
import { createSessionBook, type SessionBook, type SessionSettings } from './session-book.ts';
import { compileRequestValidator } from './validate-request.ts';

export const API_PREFIX = '/api/v1';
/** A zone's name in a path, each octet of it escaped. */
const PATH_PARAMETER_MAX = 1_100;

/** The whole API, ready to listen or to be injected into. It listens to nothing by itself. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const { limits, publisher, log } = options;
  const app = Fastify({
    ...(log === undefined ? { logger: false } : { loggerInstance: log }),
    bodyLimit: limits.jsonBodyMax,
    trustProxy: options.trustedProxies?.length ? [...options.trustedProxies] : false,
    requestTimeout: limits.requestTimeoutMs,
    routerOptions: { maxParamLength: PATH_PARAMETER_MAX },
    frameworkErrors: replyToFrameworkError,
    clientErrorHandler: replyToClientError,
    https: httpsOptions(options.tls),
  }) as unknown as FastifyInstance;
  app.server.maxConnections = limits.connectionsMax;
  app.setValidatorCompiler(compileRequestValidator);
  // Views build exactly what their schemas say, which a test holds; compiled serialisers would only
  // cost time at start.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  replyWithProblems(app);
  takeTextBodies(app);
  refuseOtherMediaTypes(app);

  const metrics = createApiMetrics({
    zones: () => publisher.zones(),
    collect: options.collectMetrics,
  });
  const context = createApiContext(options, metrics.published);
  const sessions = createSessionBook({ ...options, settings: sessionSettings(options) });
  app.register(helmet, {
    contentSecurityPolicy: CONTENT_POLICY,
    // Over plain HTTP browsers must ignore it (RFC 6797 section 7.2).
    hsts: options.tls === undefined ? false : { maxAge: HSTS_SECONDS, includeSubDomains: false },
  });
  app.register(rateLimit, { global: false });
  app.register(cookie);
  describeApi(app, options.version);
  app.register((scope, _options, done) => {
    authenticateRequests(scope, {
      model: () => publisher.model,
      sessions,
      failedAuthMax: limits.failedAuthMax,
      failedAuthWindowMs: limits.failedAuthWindowMs,
    });
    registerRoutes(scope, { context, metrics, sessions });
    done();
  });
  return app;
}

/** Only what this server itself sends; the page of the API needs styles and images of its own. */
const CONTENT_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    baseUri: ["'none'"],
    connectSrc: ["'self'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    imgSrc: ["'self'", 'data:'],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
  },
};

/** What is served over TLS need never go over anything else. */
function sessionSettings({ sessions, tls }: ApiOptions): SessionSettings {
  return { ...sessions, secureCookie: sessions.secureCookie || tls !== undefined };
}

/** Half a year. */
const HSTS_SECONDS = 180 * 86_400;
const TLS_HANDSHAKE_MS = 10_000;

/** RFC 9325 section 3.1.1: nothing older than TLS 1.2. */
function httpsOptions(tls: ApiOptions['tls']) {
  if (tls === undefined) return null;
  const { certificate, key } = tls;
  return {
    cert: certificate,
    key,
    minVersion: 'TLSv1.2',
    handshakeTimeout: TLS_HANDSHAKE_MS,
  } as const;
}

function registerRoutes(
  scope: FastifyInstance,
  shared: {
    readonly context: ApiContext;
    readonly metrics: ApiMetrics;
    readonly sessions: SessionBook;
  },
): void {
  const { context, metrics, sessions } = shared;
  const root: ApiApp = scope.withTypeProvider();
  registerOperations(root, context, metrics);
  scope.register(
    (inner, _options, done) => {
      const api: ApiApp = inner.withTypeProvider();
      registerTargets(api, context);
      registerTargetIndicators(api, context);
      registerFeeds(api, context);
      registerFeedEvents(api, context);
      registerFeedPresets(api, context);
      registerBundles(api, context);
      registerLists(api, context);
      registerListEntries(api, context);
      registerListShares(api, context);
      registerPolicies(api, context);
      registerAttachments(api, context);
      registerBehaviours(api, context);
      registerRollback(api, context);
      registerExplain(api, context);
      registerHistory(api, context);
      registerExports(api, context);
      registerDevices(api, context);
      registerDeviceKeys(api, context);
      registerConvergence(api, context);
      registerDeviceProfiles(api);
      registerZones(api, context);
      registerPeople(api, context, sessions);
      registerTokens(api, context);
      registerAudit(api, context);
      registerLogging(api, context);
      registerHeldChanges(api, context);
      registerBatch(api, context);
      registerBackup(api, context);
      registerProblems(api);
      done();
    },
    { prefix: API_PREFIX },
  );
}

/** Accounts, and who gets into them. */
function registerPeople(api: ApiApp, context: ApiContext, sessions: SessionBook): void {
  const { publisher, edits, openId, monotonicMs, passwordCost } = context.options;
  const { randomBytes } = edits;
  const passwords = createPasswordDesk({ randomBytes, cost: passwordCost });
  const login = createLogin({ publisher, passwords, monotonicMs });
  registerAccounts(api, context);
  registerEntitlements(api, context);
  registerUsers(api, context, passwords);
  registerSession(api, context, { sessions, login, passwords });
  if (openId !== undefined) registerOpenId(api, context, { settings: openId, sessions });
}
