import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import type { Edit } from '../publish/edits/index.ts';
import type { EntityKind } from '../publish/store-port.ts';
import type { ApiContext, ChangeOutcome } from './api-context.ts';
import type { Access } from './authenticate.ts';
import { etagOf, IfMatchHeaders } from './etag.ts';
import type { ApiApp } from './routes/app-type.ts';
import { ProblemAnswer } from './views/common.ts';
import { HeldAnswerSchema, PreviewAnswerSchema } from './views/preview-view.ts';
import { ZoneChangesSchema } from './views/zone-view.ts';

/** What an edit of a route is made from: all of it checked against the schemas. */
export interface ChangeInput<Params, Query, Body, Prepared = undefined> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly prepared: Prepared;
}

/** A body of several media types, as OpenAPI writes it. */
export interface BodyContent {
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>;
}

type BodyOf<Body> = Body extends TSchema ? Static<Body> : unknown;
type ObjectOf<Schema> = Schema extends TSchema ? Static<Schema> : Record<string, never>;

/** A route that changes the model: one edit, and what is answered when it is published. */
export interface ChangeRoute<Params, Query, Body, Prepared, Value> {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the prefix of the API, with its parameters: `/policies/:id`. */
  readonly url: string;
  readonly access: Exclude<Access, 'open'>;
  /** For the audit trail: `policy.update`; the path's parameters are put behind it. */
  readonly action: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** 200 when absent. */
  readonly status?: 200 | 201;
  readonly params?: Params;
  /** An object schema; `dryRun` and `confirm` are added. */
  readonly query?: Query;
  readonly body?: Body;
  readonly consumes?: readonly string[];
  readonly bodyLimit?: number;
  /** What `view` gives: `zones` is added. */
  readonly answer: Readonly<Record<string, TSchema>>;
  /** The kind of entity that `params.id` names: its ETag is answered, and compared with If-Match. */
  readonly locks?: EntityKind;
  /**
   * The answer is about something that was made beside that entity. RFC 9110 section 15.3.2: an ETag
   * in it would be taken for that of the new thing, so there is none.
   */
  readonly makesAnother?: boolean;
  /** The answer tells a secret: it is kept out of caches, and the change is never held or batched. */
  readonly tellsSecret?: boolean;
  /** What has to be waited for before the edit, such as the hash of a password. */
  readonly prepare?: (
    input: ChangeInput<ObjectOf<Params>, ObjectOf<Query>, BodyOf<Body>>,
    request: FastifyRequest,
  ) => Promise<Prepared>;
  readonly edit: (
    edit: Edit,
    input: ChangeInput<ObjectOf<Params>, ObjectOf<Query>, BodyOf<Body>, Prepared>,
    request: FastifyRequest,
  ) => Value;
  /** Runs when the edit is published and served. */
  readonly view: (value: Value, request: FastifyRequest) => Readonly<Record<string, unknown>>;
}

/** A route as batches and held changes find it again: without its types. */
export type AnyChangeRoute = ChangeRoute<TSchema, TSchema, TSchema, unknown, unknown>;

export const ChangeQuery = {
  dryRun: Type.Optional(
    Type.Boolean({
      description: 'Only tell what the change would do to every zone; nothing is changed.',
    }),
  ),
  confirm: Type.Optional(
    Type.Boolean({
      description: 'Publish also above the configured limits, where the change would be held.',
    }),
  ),
};

/**
 * Registers a route that changes the model. All of them can be tried with `dryRun`, are held above
 * the configured limits, obey If-Match, tell the zones that changed, and can be part of a batch.
 */
export function changeRoute<
  Value,
  Params extends TSchema | undefined = undefined,
  Query extends TSchema | undefined = undefined,
  Body extends TSchema | BodyContent | undefined = undefined,
  Prepared = undefined,
>(
  app: ApiApp,
  context: ApiContext,
  route: ChangeRoute<Params, Query, Body, Prepared, Value>,
): void {
  const { method, url, access, tag, summary, description, status = 200, locks } = route;
  const given = (route.query as { properties?: Record<string, TSchema> } | undefined)?.properties;
  const querystring = Type.Object({ ...given, ...ChangeQuery }, { additionalProperties: false });
  const answer = Type.Object({ ...route.answer, zones: ZoneChangesSchema });
  const known = route as unknown as AnyChangeRoute;
  context.changeRoutes.push({ route: known, querystring });
  app.route({
    method,
    url,
    config: { access },
    ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
    schema: {
      tags: [tag],
      summary,
      ...(description === undefined ? {} : { description }),
      ...(route.consumes === undefined ? {} : { consumes: [...route.consumes] }),
      ...(route.params === undefined ? {} : { params: route.params }),
      querystring,
      ...(route.body === undefined ? {} : { body: route.body }),
      ...(locks === undefined ? {} : { headers: IfMatchHeaders }),
      response: {
        ...(status === 200
          ? { 200: Type.Union([answer, PreviewAnswerSchema]) }
          : { 200: PreviewAnswerSchema, [status]: answer }),
        202: HeldAnswerSchema,
        '4xx': ProblemAnswer,
        '5xx': ProblemAnswer,
      },
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const outcome = await context.run(request, known);
      return sendOutcome(reply, changeAnswer(context, known, request, outcome));
    },
  });
}

/** How a change is answered. */
export interface ChangeAnswer {
  readonly status: 200 | 201 | 202;
  /** Of the entity as it is now, where the route names one. */
  readonly etag?: string;
  readonly isSecret: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The answer of a route to what became of a request to it. */
export function changeAnswer(
  context: ApiContext,
  route: AnyChangeRoute,
  request: FastifyRequest,
  outcome: ChangeOutcome,
): ChangeAnswer {
  switch (outcome.kind) {
    case 'preview':
      return {
        status: 200,
        isSecret: false,
        body: { dryRun: true, preview: outcome.preview },
      };
    case 'held':
      return {
        status: 202,
        isSecret: false,
        body: { held: outcome.held, preview: outcome.preview },
      };
    case 'published': {
      const { status = 200, tellsSecret = false } = route;
      const etag = etagAfter(context, route, request);
      return {
        status,
        ...(etag === undefined ? {} : { etag }),
        isSecret: tellsSecret,
        body: { ...route.view(outcome.value, request), zones: outcome.zones },
      };
    }
  }
}

/** The ETag that a published change answers with, if it answers with one. */
export function etagAfter(
  context: ApiContext,
  { locks, makesAnother = false }: AnyChangeRoute,
  { params }: FastifyRequest,
): string | undefined {
  if (locks === undefined || makesAnother) return undefined;
  return etagOf(context.options.publisher.model, locks, params);
}

export function sendOutcome(
  reply: FastifyReply,
  { status, etag, isSecret, body }: ChangeAnswer,
): FastifyReply {
  if (isSecret) reply.header('cache-control', 'no-store');
  if (etag !== undefined) reply.header('etag', etag);
  return reply.code(status).send(body);
}
