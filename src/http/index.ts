/**
 * What lives here: the admin API: Fastify, its routes and schemas (which are also its OpenAPI
 * document), tokens, logins and roles, problems, health and metrics. One file per kind of thing in
 * `routes/`; `views/` says how each is shown.
 *
 * What doesn't: the rules for edits (publish/edits), publishing (publish), listening and the files of certificates (main).
 */
export {
  type ApiLimits,
  type ApiOptions,
  DEFAULT_API_LIMITS,
  type LoggingPort,
  type LoggingSettings,
  type MetricFamily,
} from './api-options.ts';
export { API_PREFIX, buildApi } from './build-api.ts';
export { DOCS_PATH, OPENAPI_PATH } from './openapi.ts';
