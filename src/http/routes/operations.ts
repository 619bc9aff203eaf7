import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '../api-context.ts';
import type { ApiMetrics } from '../metrics.ts';
import { HttpProblem } from '../problem.ts';
import { answers } from '../views/common.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['operations'];
const METRICS_EXAMPLE = '# TYPE sluice_zones gauge\nsluice_zones 3\n';

/** Whether the server serves, and its metrics: outside the API's prefix, where monitoring looks for them. */
export function registerOperations(app: ApiApp, context: ApiContext, metrics: ApiMetrics): void {
  app.get(
    '/health',
    {
      config: { access: 'open' },
      logLevel: 'warn',
      schema: {
        tags,
        summary: 'Tell whether zones are being served',
        response: answers(
          200,
          Type.Object({ status: Type.Enum(['serving']) }, { examples: [{ status: 'serving' }] }),
        ),
      },
    },
    async (_request, reply) => {
      if (!context.options.isServing()) {
        throw new HttpProblem('unavailable', 'Zones are not being served yet, or no longer.');
      }
      return reply.header('cache-control', 'no-store').send({ status: 'serving' as const });
    },
  );

  app.get(
    '/metrics',
    {
      config: { access: context.options.metricsWithoutToken ? 'open' : 'viewer' },
      logLevel: 'warn',
      schema: {
        tags,
        summary: 'Get the metrics in the text format of Prometheus',
        description: 'Of the whole server, so for the account that runs it.',
        produces: ['text/plain'],
        response: answers(200, Type.String({ examples: [METRICS_EXAMPLE] })),
      },
    },
    async (request, reply) => {
      if (!context.options.metricsWithoutToken) refuseOtherAccounts(context, request);
      return reply
        .type(metrics.contentType)
        .serializer((text: string) => text)
        .send(await metrics.text());
    },
  );
}

/** The metrics name the zones of every account. */
function refuseOtherAccounts(context: ApiContext, request: FastifyRequest): void {
  const { model, accountId } = context.viewer(request);
  const account = model.accounts.get(accountId);
  if (account?.operator) return;
  const refused = { field: 'account', value: account?.label ?? null };
  const detail = 'Only the account that runs the server sees the metrics.';
  throw new HttpProblem('forbidden', detail, refused);
}
