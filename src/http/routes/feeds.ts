import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Feed, Model, Target } from '../../policy/model.ts';
import { ModelError } from '../../policy/model-error.ts';
import {
  createFeed,
  deleteFeed,
  findFeed,
  refuseFeedsUnlessOperator,
  SOURCE_KINDS,
  targetOfFeed,
  updateFeed,
} from '../../publish/edits/index.ts';
import type { FeedStatus } from '../../publish/feeds-port.ts';
import type { ApiContext } from '../api-context.ts';
import { identityOf } from '../authenticate.ts';
import { changeRoute } from '../change-route.ts';
import { checkIfMatch, etagOf, IfMatchHeaders } from '../etag.ts';
import { type Columns, idQuery, listQuery, pageOf, pageSchema } from '../page.ts';
import { answers, IdParams, nullable } from '../views/common.ts';
import {
  FEED_STATES,
  FeedPatchSchema,
  FeedRunSchema,
  FeedSchema,
  FeedStatusSchema,
  feedRunView,
  feedStatusView,
  feedView,
  HeldFeedSchema,
  heldFeedView,
  NewFeedSchema,
} from '../views/feed-view.ts';
import type { ApiApp } from './app-type.ts';
import { OCTETS, TEXT, takeOctetBodies, textBody } from './text-body.ts';

const tags = ['feeds'];

/** A feed as lists sort and search it: it goes by the name of its target. */
interface ListedFeed {
  readonly id: number;
  readonly name: string;
  readonly feed: Feed;
  readonly target: Target;
  readonly status: FeedStatus;
}

const COLUMNS: Columns<ListedFeed> = {
  id: ({ id }) => id,
  target: ({ name }) => name,
  preset: ({ feed }) => feed.preset ?? '',
  source: ({ feed }) => feed.source.kind,
  state: ({ status }) => status.state,
  failures: ({ status }) => status.failures,
  nextRunAt: ({ status }) => status.nextRunAt ?? 0,
  lastRunAt: ({ status }) => status.lastRunAt ?? 0,
  lastSuccessAt: ({ status }) => status.lastSuccessAt ?? 0,
  createdAt: ({ feed }) => feed.createdAt,
  updatedAt: ({ feed }) => feed.updatedAt,
};

const ListFeedsQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    state: Type.Optional(
      Type.Array(Type.Enum([...FEED_STATES]), {
        maxItems: FEED_STATES.length,
        description: 'Any of these; given once for each.',
      }),
    ),
    source: Type.Optional(Type.Enum([...SOURCE_KINDS])),
    enabled: Type.Optional(Type.Boolean()),
    preset: Type.Optional(Type.String({ maxLength: 100 })),
    targetId: idQuery('Only the feed of this target.'),
  },
  { additionalProperties: false },
);
type ListFeedsQuery = Static<typeof ListFeedsQuery>;

/** The feeds of targets; their runs are somebody else's, and are asked for through `options.feeds`. */
export function registerFeeds(app: ApiApp, context: ApiContext): void {
  registerReading(app, context);
  registerChanges(app, context);
  registerRuns(app, context);
  registerUpload(app, context);
}

function registerReading(app: ApiApp, context: ApiContext): void {
  const { feeds, clock } = context.options;

  app.get(
    '/feeds',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List feeds',
        description: 'With how they stand. Shown to the account that runs the server only.',
        querystring: ListFeedsQuery,
        response: answers(200, pageSchema(FeedSchema)),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      refuseFeedsUnlessOperator(viewer);
      const found = viewer.model.feeds
        .values()
        .filter((feed) => isWanted(feed, request.query))
        .map((feed): ListedFeed => {
          const target = targetOfFeed(viewer, feed);
          return { id: feed.id, name: target.name, feed, target, status: feeds.status(feed.id) };
        })
        .filter(({ status }) => request.query.state?.includes(status.state) ?? true);
      return pageOf(found, request.query, {
        columns: COLUMNS,
        searched: ({ name, target, feed }) => [name, target.description, feed.preset ?? ''],
        view: ({ feed, ...shown }) => feedView(feed, { ...shown, now: clock() }),
      });
    },
  );

  app.get(
    '/feeds/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a feed',
        description: 'With how it stands. Secrets are shown as "***".',
        params: IdParams,
        response: answers(200, FeedSchema),
      },
    },
    (request, reply) => {
      const viewer = context.viewer(request);
      const feed = findFeed(viewer, request.params.id);
      reply.header('etag', etagOf(viewer.model, 'feed', request.params));
      return viewOf(context, feed, viewer.model);
    },
  );

  app.get(
    '/feeds/:id/runs',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the last runs of a feed',
        description: 'The newest first, with what became of every kind of line.',
        params: IdParams,
        response: answers(200, Type.Object({ items: Type.Array(FeedRunSchema) })),
      },
    },
    (request) => {
      const feed = findFeed(context.viewer(request), request.params.id);
      return { items: feeds.status(feed.id).runs.map(feedRunView) };
    },
  );

  app.get(
    '/feeds/:id/held',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get what waits to be released',
        description:
          'What it would change, against what the target holds now, and why it is held. Null when nothing is.',
        params: IdParams,
        response: answers(200, Type.Object({ held: nullable(HeldFeedSchema) })),
      },
    },
    async (request) => {
      const feed = ownFeed(context, request);
      const held = await feeds.heldChange(feed.id);
      return { held: held && heldFeedView(held) };
    },
  );
}

function isWanted(feed: Feed, query: ListFeedsQuery): boolean {
  return (
    (query.source === undefined || feed.source.kind === query.source) &&
    (query.enabled === undefined || feed.enabled === query.enabled) &&
    (query.preset === undefined || feed.preset === query.preset) &&
    (query.targetId === undefined || feed.targetId === query.targetId)
  );
}

/** A feed as it is published now: a change may have moved its time on. */
export function viewOf(
  context: ApiContext,
  { id }: Pick<Feed, 'id'>,
  model: Model,
): Static<typeof FeedSchema> {
  const { feeds, clock } = context.options;
  const feed = model.feeds.get(id);
  if (feed === undefined) throw new Error(`feed ${id} is not published`);
  const target = model.targets.get(feed.targetId);
  if (target === undefined) throw new Error(`feed ${feed.id} has no target`);
  return feedView(feed, { target, status: feeds.status(feed.id), now: clock() });
}

function registerChanges(app: ApiApp, context: ApiContext): void {
  const common = {
    access: 'admin',
    tag: 'feeds',
    answer: { feed: FeedSchema },
    view: (feed: Feed) => ({ feed: viewOf(context, feed, context.options.publisher.model) }),
  } as const;

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/feeds',
    action: 'feed.create',
    // It takes one, which must not wait with a change that is held.
    tellsSecret: true,
    summary: 'Give a target a feed',
    description:
      'A target has one feed, which decides what it holds from its first run on. While it is enabled, the indicators of the target are not changed by hand.',
    status: 201,
    body: NewFeedSchema,
    edit: (edit, { body }) => createFeed(edit, body),
  });

  changeRoute(app, context, {
    ...common,
    method: 'PATCH',
    url: '/feeds/:id',
    action: 'feed.update',
    tellsSecret: true,
    locks: 'feed',
    summary: 'Change a feed',
    description:
      'Pauses it with `enabled: false`. What is left out stays as it is, secrets included as long as the source is on the same server; a format is given whole.',
    params: IdParams,
    body: FeedPatchSchema,
    edit: (edit, { params, body }) => updateFeed(edit, params.id, body),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    url: '/feeds/:id',
    action: 'feed.delete',
    locks: 'feed',
    summary: 'Delete a feed',
    description: 'Its target keeps what it holds, and is changed by hand from then on.',
    params: IdParams,
    answer: { deleted: Type.Object({ id: Type.Integer(), targetId: Type.Integer() }) },
    edit: (edit, { params }) => deleteFeed(edit, params.id),
    view: ({ id, targetId }) => ({ deleted: { id, targetId } }),
  });
}

function registerRuns(app: ApiApp, context: ApiContext): void {
  const { feeds, clock } = context.options;
  const statusOf = (feed: Feed) => ({ status: feedStatusView(feeds.status(feed.id), clock()) });

  app.post(
    '/feeds/:id/run',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Run a feed now',
        description: 'Answers at once; nothing happens while a run is under way.',
        params: IdParams,
        headers: IfMatchHeaders,
        response: answers(202, Type.Object({ status: FeedStatusSchema })),
      },
    },
    async (request, reply) => {
      const feed = feedToRun(context, request);
      feeds.run(feed.id, identityOf(request).actor);
      reply.code(202);
      return statusOf(feed);
    },
  );

  app.post(
    '/feeds/:id/release',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Publish what is held',
        params: IdParams,
        headers: IfMatchHeaders,
        response: answers(200, Type.Object({ run: FeedRunSchema })),
      },
    },
    async (request) => {
      const feed = feedToRun(context, request);
      return { run: feedRunView(await feeds.release(feed.id, identityOf(request).actor)) };
    },
  );

  app.post(
    '/feeds/:id/discard',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Forget what is held',
        description: 'The target stays as it is; a later run may be held again.',
        params: IdParams,
        headers: IfMatchHeaders,
        response: answers(200, Type.Object({ status: FeedStatusSchema })),
      },
    },
    async (request) => {
      const feed = feedToRun(context, request);
      await feeds.discard(feed.id, identityOf(request).actor);
      return statusOf(feed);
    },
  );
}

/** Octets of any form, which are nobody else's body: so their parser is in a scope of its own. */
function registerUpload(app: ApiApp, context: ApiContext): void {
  const { feeds, limits } = context.options;
  app.register((inner, _options, done) => {
    const scope: ApiApp = inner.withTypeProvider();
    takeOctetBodies(scope);
    const content = textBody('evil.example\n192.0.2.0/24\n');
    scope.post(
      '/feeds/:id/upload',
      {
        config: { access: 'editor' },
        bodyLimit: limits.textBodyMax,
        schema: {
          tags,
          summary: 'Upload the content of a feed',
          description:
            'Taken in the place of the source: parsed in the format of the feed, checked by its gates, and published or held before the answer comes. May be gzip or zip.',
          consumes: [TEXT, OCTETS],
          params: IdParams,
          headers: IfMatchHeaders,
          body: { content: { [TEXT]: { schema: content }, [OCTETS]: { schema: content } } },
          response: answers(200, Type.Object({ run: FeedRunSchema })),
        },
      },
      async (request) => {
        const feed = feedToRun(context, request);
        const octets = octetsOf(request.body);
        return { run: feedRunView(await feeds.upload(feed.id, octets, identityOf(request).actor)) };
      },
    );
    done();
  });
}

function octetsOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array && body.length > 0) return body;
  const rule = 'The body is the content of the feed, as text/plain or application/octet-stream.';
  throw new ModelError('text-form', { field: 'body', value: null, rule });
}

function ownFeed(context: ApiContext, request: FastifyRequest): Feed {
  const { id } = request.params as IdParams;
  return findFeed(context.viewer(request), id);
}

/** A feed that something is to be done with, which is still as it was read where If-Match says so. */
function feedToRun(context: ApiContext, request: FastifyRequest): Feed {
  const feed = ownFeed(context, request);
  const ifMatch = request.headers['if-match'];
  if (ifMatch !== undefined)
    checkIfMatch(context.options.publisher.model, 'feed', request.params, ifMatch);
  return feed;
}
