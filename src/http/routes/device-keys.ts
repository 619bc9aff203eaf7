import { Type } from 'typebox';
import type { DeviceKey } from '../../policy/model.ts';
import {
  createKey,
  deleteKey,
  findDevice,
  type RotatedKeys,
  rotateKeys,
  updateKey,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { answers, IdParams, IdSchema } from '../views/common.ts';
import {
  KeyPatchSchema,
  KeySchema,
  keysOf,
  keyView,
  NewKeySchema,
  RotationSchema,
} from '../views/key-view.ts';
import type { ApiApp } from './app-type.ts';

const KeyParams = Type.Object({ id: IdSchema, keyId: IdSchema });
const SecretSchema = Type.String({ description: 'Base64, as resolvers take it. Told this once.' });

export function registerDeviceKeys(app: ApiApp, context: ApiContext): void {
  const common = { access: 'admin', tag: 'devices', locks: 'device' } as const;
  const view = (key: DeviceKey) => keyView(key, context.options.keyUse?.(key.id));

  app.get(
    '/devices/:id/keys',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['devices'],
        summary: 'List the TSIG keys of a device',
        description: 'Without their secrets, with when and from where each was used.',
        params: IdParams,
        response: answers(200, Type.Object({ items: Type.Array(KeySchema) })),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      const device = findDevice(viewer, request.params.id);
      return { items: keysOf(device, viewer.model).map(view) };
    },
  );

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/devices/:id/keys',
    action: 'key.create',
    summary: 'Generate a TSIG key',
    description: 'A secret of 256 bits, which is in this answer and nowhere else in clear.',
    status: 201,
    makesAnother: true,
    tellsSecret: true,
    params: IdParams,
    body: NewKeySchema,
    answer: { key: KeySchema, secret: SecretSchema },
    edit: (edit, { params, body }) => createKey(edit, params.id, body),
    view: (key) => ({ key: view(key), secret: secretText(key) }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/devices/:id/keys/rotate',
    action: 'key.rotate',
    summary: 'Replace the TSIG keys of a device',
    description:
      'Generates a key that takes over from all others. These end after the overlap, and sooner when the device has signed with the new one: then tsig.retireAfter later. So long both are accepted. NOTIFYs are signed with the newest key that the device was seen using. A key that is used again after the new one was seen shows in the warnings of the device.',
    status: 201,
    makesAnother: true,
    tellsSecret: true,
    params: IdParams,
    body: RotationSchema,
    answer: {
      key: KeySchema,
      secret: SecretSchema,
      retiring: Type.Array(KeySchema, { description: 'The others, with the time of their end.' }),
    },
    edit: (edit, { params, body }) => rotateKeys(edit, params.id, body),
    view: ({ key, retiring }: RotatedKeys) => ({
      key: view(key),
      secret: secretText(key),
      retiring: retiring.map(view),
    }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'PATCH',
    url: '/devices/:id/keys/:keyId',
    action: 'key.update',
    summary: 'Change a TSIG key',
    description: 'How many transfers it may have signed for at the same time.',
    params: KeyParams,
    body: KeyPatchSchema,
    answer: { key: KeySchema },
    edit: (edit, { params, body }) => updateKey(edit, params.id, params.keyId, body),
    view: (key) => ({ key: view(key) }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    url: '/devices/:id/keys/:keyId',
    action: 'key.delete',
    summary: 'Revoke a TSIG key',
    description: 'At once.',
    params: KeyParams,
    answer: { deleted: KeySchema },
    edit: (edit, { params }) => deleteKey(edit, params.id, params.keyId),
    view: (key) => ({ deleted: view(key) }),
  });
}

function secretText({ secret }: DeviceKey): string {
  return Buffer.from(secret).toString('base64');
}
