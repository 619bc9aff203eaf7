import { Type } from 'typebox';
import { ModelError } from '../../policy/model-error.ts';
import { type BackupDocument, backupText } from '../../publish/backup/index.ts';
import { restoreBackup } from '../../publish/edits/index.ts';
import { piecesOf } from '../../publish/exports/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { sendPieces } from '../send-export.ts';
import { BackupSchema, RestoredSchema, restoredView } from '../views/backup-view.ts';
import { answers } from '../views/common.ts';
import type { ApiApp } from './app-type.ts';

export function registerBackup(app: ApiApp, context: ApiContext): void {
  app.get(
    '/backup',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['backup'],
        summary: 'Back up an account',
        description:
          'Everything of the account that is no secret, by name: behaviours, lists with their entries, policies, devices, users. For the account that runs the server also the catalogue, on request.',
        querystring: Type.Object(
          {
            catalogue: Type.Optional(
              Type.Boolean({
                description: 'All targets with their indicators, bundles and predefined policies.',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: answers(200, BackupSchema),
      },
    },
    async (request, reply) => {
      const { model, accountId } = context.viewer(request);
      const withCatalogue = request.query.catalogue ?? false;
      const account = model.accounts.get(accountId)!;
      if (withCatalogue && !account.operator) {
        const rule = 'Only the account that runs the server backs up the catalogue.';
        throw new ModelError('not-allowed', { field: 'catalogue', value: true, rule });
      }
      const now = context.options.clock();
      const { catalogue } = context.options.publisher;
      const day = new Date(now).toISOString().slice(0, 10);
      reply
        .type('application/json')
        .header('cache-control', 'no-store')
        .header('content-disposition', `attachment; filename="${account.label}-${day}.json"`);
      return sendPieces(request, reply, () =>
        piecesOf(backupText({ model, catalogue, accountId, withCatalogue, now })),
      );
    },
  );

  changeRoute(app, context, {
    method: 'POST',
    url: '/restore',
    access: 'admin',
    action: 'account.restore',
    tag: 'backup',
    summary: 'Restore a backup into an empty account',
    description:
      'The account has no behaviours, lists, policies or devices of its own. All of the backup is restored in one change, or nothing: then every reason is told.',
    query: Type.Object({
      missing: Type.Optional(
        Type.Enum(['refuse', 'leave-out'], {
          description:
            'What the backup names and the server has not (targets, bundles, accounts, shared lists) refuses the restore, or is left out and told. "refuse" when absent.',
        }),
      ),
    }),
    body: BackupSchema,
    bodyLimit: context.options.limits.textBodyMax,
    answer: { restored: RestoredSchema },
    edit: (edit, { body, query }) =>
      restoreBackup(edit, body as unknown as BackupDocument, {
        missing: query.missing ?? 'refuse',
      }),
    view: (restored) => ({ restored: restoredView(restored) }),
  });
}
