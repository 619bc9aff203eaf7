import { Type } from 'typebox';
import { createKey, deleteKey, findDevice } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { answers, IdParams, IdSchema } from '../views/common.ts';
import { KeySchema, keysOf, keyView, NewKeySchema } from '../views/device-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['devices'];
const KeyParams = Type.Object({ id: IdSchema, keyId: IdSchema });
const CreatedKey = Type.Object({
  key: KeySchema,
  secret: Type.String({ description: 'Base64, as resolvers take it. Told this once.' }),
});

export function registerDeviceKeys(app: ApiApp, context: ApiContext): void {
  app.get(
    '/devices/:id/keys',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'List the TSIG keys of a device',
        description: 'Without their secrets.',
        params: IdParams,
        response: answers(200, Type.Object({ items: Type.Array(KeySchema) })),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      const device = findDevice(viewer, request.params.id);
      return { items: keysOf(device, viewer.model).map(keyView) };
    },
  );

  app.post(
    '/devices/:id/keys',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Generate a TSIG key',
        description: 'A secret of 256 bits, which is in this answer and nowhere else in clear.',
        params: IdParams,
        body: NewKeySchema,
        response: answers(201, CreatedKey),
      },
    },
    async (request, reply) => {
      const { value } = await context.change(request, 'key.create', (edit) =>
        createKey(edit, request.params.id, request.body),
      );
      const secret = Buffer.from(value.secret).toString('base64');
      // RFC 9111 section 5.2.2.5: a secret is kept by no cache on the way.
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ key: keyView(value), secret });
    },
  );

  app.delete(
    '/devices/:id/keys/:keyId',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Revoke a TSIG key',
        params: KeyParams,
        response: answers(200, Type.Object({ deleted: KeySchema })),
      },
    },
    async (request) => {
      const { id, keyId } = request.params;
      const { value } = await context.change(request, 'key.delete', (edit) =>
        deleteKey(edit, id, keyId),
      );
      return { deleted: keyView(value) };
    },
  );
}
