import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { DEVICE_PROFILES, type Device, type Model } from '../../policy/model.ts';
import { zonesOfDevice } from '../../publish/device-zones.ts';
import {
  type Assigned,
  assignDevices,
  assignPolicy,
  createDevice,
  DEVICE_TYPES,
  deleteDevice,
  findDevice,
  updateDevice,
} from '../../publish/edits/index.ts';
import { policySizes } from '../../publish/policy-size.ts';
import type { ApiContext } from '../api-context.ts';
import type { HostStatus } from '../api-options.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import { answers, IdParams, IdSchema, NamedSchema } from '../views/common.ts';
import { StatusSchema, statusView } from '../views/convergence-view.ts';
import {
  AssignmentSchema,
  AssignmentsSchema,
  DeviceDetailSchema,
  DevicePatchSchema,
  DeviceSchema,
  type DeviceViewSource,
  deviceView,
  NewDeviceSchema,
} from '../views/device-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['devices'];

function columnsOf(model: Model): Columns<Device> {
  return {
    id: ({ id }) => id,
    name: ({ name }) => name,
    description: ({ description }) => description,
    type: ({ type }) => type,
    profile: ({ profile }) => profile,
    access: ({ access }) => access,
    policy: ({ policyId }) => (policyId && model.policies.get(policyId)?.name) ?? '',
    createdAt: ({ createdAt }) => createdAt,
    updatedAt: ({ updatedAt }) => updatedAt,
  };
}

const ListDevicesQuery = Type.Object(
  {
    ...listQuery([
      'id',
      'name',
      'description',
      'type',
      'profile',
      'access',
      'policy',
      'createdAt',
      'updatedAt',
    ]),
    type: Type.Optional(Type.Enum([...DEVICE_TYPES])),
    profile: Type.Optional(Type.Enum([...DEVICE_PROFILES])),
    policyId: Type.Optional(IdSchema),
    unassigned: Type.Optional(
      Type.Boolean({ description: 'Only devices without a policy, or only those with one.' }),
    ),
  },
  { additionalProperties: false },
);

export function registerDevices(app: ApiApp, context: ApiContext): void {
  registerReading(app, context);
  registerChanges(app, context);
}

function registerReading(app: ApiApp, context: ApiContext): void {
  app.get(
    '/devices',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List devices',
        querystring: ListDevicesQuery,
        response: answers(200, pageSchema(DeviceSchema)),
      },
    },
    (request) => {
      const source = viewSourceOf(context, request);
      const { type, profile, policyId, unassigned } = request.query;
      const found = source.model.devices
        .values()
        .filter((device) => device.accountId === source.accountId)
        .filter((device) => type === undefined || device.type === type)
        .filter((device) => profile === undefined || device.profile === profile)
        .filter((device) => policyId === undefined || device.policyId === policyId)
        .filter((device) => unassigned === undefined || (device.policyId === null) === unassigned);
      return pageOf(found, request.query, {
        columns: columnsOf(source.model),
        searched: ({ name, description }) => [name, description],
        view: (device) => deviceView(device, source),
      });
    },
  );

  app.get(
    '/devices/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a device',
        description: 'With what it did per zone.',
        params: IdParams,
        response: answers(200, DeviceDetailSchema),
      },
    },
    async (request, reply) => {
      const device = findDevice(context.viewer(request), request.params.id);
      const status = statusOf(context, device);
      const source = viewSourceOf(context, request);
      const etag = etagOf(source.model, 'device', request.params);
      if (etag !== undefined) reply.header('etag', etag);
      return { ...deviceView(source.model.devices.get(device.id) ?? device, source), status };
    },
  );

  app.get(
    '/devices/:id/status',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get what a device did per zone',
        description:
          'How far it has come with each zone that it is to hold, and with others that it asked for: what it holds, how far that is behind, its last NOTIFY, SOA query and transfer. What is behind comes first, and no more than a thousand zones.',
        params: IdParams,
        response: answers(200, Type.Object({ items: Type.Array(StatusSchema) })),
      },
    },
    async (request) => {
      const device = findDevice(context.viewer(request), request.params.id);
      return { items: statusOf(context, device) };
    },
  );
}

function registerChanges(app: ApiApp, context: ApiContext): void {
  const common = { access: 'admin', tag: 'devices' } as const;
  const ofDevice = {
    ...common,
    locks: 'device',
    params: IdParams,
    answer: { device: DeviceSchema },
    view: (device: Device, request: FastifyRequest) => ({
      device: deviceView(device, viewSourceOf(context, request)),
    }),
  } as const;

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/devices',
    action: 'device.create',
    summary: 'Create a device',
    description:
      'Without an access mode it is known by its sources or host names if it has some, else by a key.',
    status: 201,
    body: NewDeviceSchema,
    answer: ofDevice.answer,
    edit: (edit, { body }) => createDevice(edit, body),
    view: ofDevice.view,
  });

  changeRoute(app, context, {
    ...ofDevice,
    method: 'PATCH',
    url: '/devices/:id',
    action: 'device.update',
    summary: 'Change a device',
    body: DevicePatchSchema,
    edit: (edit, { params, body }) => updateDevice(edit, params.id, body),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    url: '/devices/:id',
    action: 'device.delete',
    summary: 'Delete a device',
    description: 'Its keys are revoked with it, and its own zones go.',
    locks: 'device',
    params: IdParams,
    answer: { deleted: NamedSchema },
    edit: (edit, { params }) => deleteDevice(edit, params.id),
    view: ({ id, name }) => ({ deleted: { id, name } }),
  });

  changeRoute(app, context, {
    ...ofDevice,
    method: 'PUT',
    url: '/devices/:id/policy',
    action: 'device.assign',
    summary: 'Assign a policy to a device',
    description:
      'A device of type ip pulls an IP policy, one of type dns or roaming a DNS policy. Null takes it away.',
    body: AssignmentSchema,
    edit: (edit, { params, body }) => assignPolicy(edit, params.id, body.policyId),
  });

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/policies/:id/devices',
    action: 'policy.assign',
    summary: 'Assign a policy to many devices',
    description:
      'All in one change or, when one of them is refused, nothing. Devices under `add` change over from what they pull now; those under `remove` pull nothing afterwards.',
    params: IdParams,
    body: AssignmentsSchema,
    locks: 'policy',
    answer: {
      policy: NamedSchema,
      devices: Type.Array(NamedSchema, { description: 'All that pull the policy now.' }),
    },
    edit: (edit, { params, body }) => assignDevices(edit, params.id, body),
    view: ({ policy, devices }: Assigned) => ({
      policy: { id: policy.id, name: policy.name },
      devices: devices.map(({ id, name }) => ({ id, name })),
    }),
  });
}

function viewSourceOf(context: ApiContext, request: FastifyRequest): DeviceViewSource {
  const {
    publisher,
    clock,
    describeHost = unknownHost,
    keyUse = () => undefined,
  } = context.options;
  const { state } = publisher;
  return {
    model: state.model,
    accountId: context.viewer(request).accountId,
    zonesOf: (device) => zonesOfDevice(state, device),
    sizes: policySizes(state),
    describeHost,
    keyUse,
    now: clock(),
  };
}

function unknownHost(): HostStatus {
  return { addresses: [], resolvedAt: null, askedAt: null, lastError: null };
}

/** Of a secondary with many zones only these; all are told by GET /convergence, page by page. */
const STATUS_ROWS_MAX = 1_000;

function statusOf(context: ApiContext, device: Device): Static<typeof StatusSchema>[] {
  const { convergence, clock } = context.options;
  const now = clock();
  return convergence
    .ofDevice(device)
    .sort((a, b) => Number(b.behind !== null) - Number(a.behind !== null))
    .slice(0, STATUS_ROWS_MAX)
    .map((zone) => statusView(zone, now));
}
