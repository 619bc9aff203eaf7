import { Type } from 'typebox';
import { actOnServer, refuseAllViewersButOperator } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { answers } from '../views/common.ts';
import { LoggingPatchSchema, LoggingSchema } from '../views/logging-view.ts';
import type { ApiApp } from './app-type.ts';

/** What is written to the log, which is switched while the server runs. */
export function registerLogging(app: ApiApp, context: ApiContext): void {
  const { logging } = context.options;
  const answer = Type.Object({ logging: LoggingSchema });

  app.get(
    '/server/logging',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['operations'],
        summary: 'Get what is written to the log',
        description: 'Shown to the account that runs the server only.',
        response: answers(200, answer),
      },
    },
    (request) => {
      refuseAllViewersButOperator(context.viewer(request));
      return { logging: { ...logging.settings() } };
    },
  );

  app.patch(
    '/server/logging',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['operations'],
        summary: 'Change what is written to the log',
        description:
          'Holds from the next record on. It is not kept: with the next reload or restart the configuration file counts again. For the account that runs the server only.',
        body: LoggingPatchSchema,
        response: answers(200, answer),
      },
    },
    async (request) => {
      const changes = Object.entries(request.body).map(([name, value]) => `${name}=${value}`);
      // First the trail: what cannot be told there is not done.
      await context.change(request, ['logging.update', ...changes].join(' '), actOnServer);
      return { logging: { ...logging.change(request.body) } };
    },
  );
}
