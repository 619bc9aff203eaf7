import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance } from 'fastify';
import { type ApiContext, createApiContext } from './api-context.ts';
import type { ApiOptions } from './api-options.ts';
import { authenticateRequests } from './authenticate.ts';
import { type ApiMetrics, createApiMetrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { replyToClientError, replyToFrameworkError, replyWithProblems } from './problem-replies.ts';
import type { ApiApp } from './routes/app-type.ts';
import { registerAttachments } from './routes/attachments.ts';
import { registerBundles } from './routes/bundles.ts';
import { registerDeviceKeys } from './routes/device-keys.ts';
import { registerDevices } from './routes/devices.ts';
import { registerExplain } from './routes/explain.ts';
import { registerListEntries } from './routes/list-entries.ts';
import { registerLists } from './routes/lists.ts';
import { registerOperations } from './routes/operations.ts';
import { registerPolicies } from './routes/policies.ts';
import { registerProblems } from './routes/problems.ts';
import { registerTargetIndicators } from './routes/target-indicators.ts';
import { registerTargets } from './routes/targets.ts';
import { takeTextBodies } from './routes/text-body.ts';
import { registerTokens } from './routes/tokens.ts';
import { registerZones } from './routes/zones.ts';
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
    requestTimeout: limits.requestTimeoutMs,
    routerOptions: { maxParamLength: PATH_PARAMETER_MAX },
    frameworkErrors: replyToFrameworkError,
    clientErrorHandler: replyToClientError,
  });
  app.server.maxConnections = limits.connectionsMax;
  app.setValidatorCompiler(compileRequestValidator);
  // Views build exactly what their schemas say, which a test holds; compiled serialisers would only
  // cost time at start.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  replyWithProblems(app);
  takeTextBodies(app);

  const metrics = createApiMetrics({
    zones: () => publisher.zones(),
    collect: options.collectMetrics,
  });
  const context = createApiContext(options, metrics.published);
  app.register(helmet, { contentSecurityPolicy: CONTENT_POLICY, hsts: false });
  app.register(rateLimit, { global: false });
  describeApi(app, options.version);
  app.register((scope, _options, done) => {
    authenticateRequests(scope, {
      model: () => publisher.model,
      failedAuthMax: limits.failedAuthMax,
      failedAuthWindowMs: limits.failedAuthWindowMs,
    });
    registerRoutes(scope, context, metrics);
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

function registerRoutes(scope: FastifyInstance, context: ApiContext, metrics: ApiMetrics): void {
  const root: ApiApp = scope.withTypeProvider();
  registerOperations(root, context, metrics);
  scope.register(
    (inner, _options, done) => {
      const api: ApiApp = inner.withTypeProvider();
      registerTargets(api, context);
      registerTargetIndicators(api, context);
      registerBundles(api, context);
      registerLists(api, context);
      registerListEntries(api, context);
      registerPolicies(api, context);
      registerAttachments(api, context);
      registerExplain(api, context);
      registerDevices(api, context);
      registerDeviceKeys(api, context);
      registerZones(api, context);
      registerTokens(api, context);
      registerProblems(api);
      done();
    },
    { prefix: API_PREFIX },
  );
}
