import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { findFeed } from '../../publish/edits/index.ts';
import type { FeedEvent, FeedStatus } from '../../publish/feeds-port.ts';
import type { ApiContext } from '../api-context.ts';
import { type Identity, identityOf } from '../authenticate.ts';
import { createEventStreams } from '../event-streams.ts';
import { IdParams, ProblemAnswer } from '../views/common.ts';
import { feedRunView, feedStatusView, progressView } from '../views/feed-view.ts';
import type { ApiApp } from './app-type.ts';

const EVENTS = 'text/event-stream';
const EXAMPLE =
  'event: progress\ndata: {"feedId":1,"progress":{"phase":"fetch","startedAt":"2030-01-31T12:00:00.000Z","octets":65536,"lines":0,"octetsPerSecond":1048576}}\n\n';

/** What happens to a feed, as it happens. */
export function registerFeedEvents(app: ApiApp, context: ApiContext): void {
  const { feeds, clock, publisher } = context.options;
  const streams = createEventStreams(app as unknown as FastifyInstance);

  app.get(
    '/feeds/:id/events',
    {
      config: { access: 'viewer' },
      // Its answer would not end.
      exposeHeadRoute: false,
      schema: {
        tags: ['feeds'],
        summary: 'Listen to a feed',
        description:
          'Server-sent events: `state` at first and whenever it changes, `progress` of a run under way, `ended` with the report of a run. A comment comes every 15 s. The stream ends with the feed, the right to see it, or the server.',
        params: IdParams,
        response: {
          200: { content: { [EVENTS]: { schema: Type.String({ examples: [EXAMPLE] }) } } },
          '4xx': ProblemAnswer,
          '5xx': ProblemAnswer,
        },
      },
    },
    async (request, reply) => {
      const feed = findFeed(context.viewer(request), request.params.id);
      const current = feeds.status(feed.id);
      streams.open(reply, {
        mayGoOn: () => publisher.model.feeds.has(feed.id) && isStillKnown(context, request),
        start: (stream) => {
          const state = (status: FeedStatus): void =>
            stream.send('state', { feedId: feed.id, status: feedStatusView(status, clock()) });
          const tell = (event: FeedEvent): void => {
            const { feedId } = event;
            if (event.kind === 'state') state(event.status);
            else if (event.kind === 'ended')
              stream.send('ended', { feedId, run: feedRunView(event.run) });
            else {
              const progress = progressView(event.progress);
              stream.send('progress', { feedId, progress }, { canBeLeftOut: true });
            }
          };
          // First what is, then what changes: nothing comes in between.
          state(current);
          return feeds.listen(feed.id, tell);
        },
      });
      return reply;
    },
  );
}

/** Whether who opened the stream could open it again: tokens are revoked, sessions end, roles change. */
function isStillKnown(context: ApiContext, request: FastifyRequest): boolean {
  const { publisher, clock } = context.options;
  const { kind, id, role, sessionId, accountId } = identityOf(request);
  const { model } = publisher;
  if (!model.accounts.has(accountId)) return false;
  const senders: ReadonlyMap<number, { readonly role: Identity['role'] }> =
    kind === 'token' ? model.tokens : model.users;
  if (senders.get(id)?.role !== role) return false;
  if (kind === 'token') return true;
  const session = sessionId === null ? undefined : model.sessions.get(sessionId);
  const user = session && model.users.get(session.userId);
  return session !== undefined && session.expiresAt > clock() && user?.disabled === false;
}
