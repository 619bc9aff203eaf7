import { Type } from 'typebox';
import type { Device } from '../../policy/model.ts';
import {
  assignPolicy,
  createDevice,
  deleteDevice,
  findDevice,
  updateDevice,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import {
  AssignmentSchema,
  DevicePatchSchema,
  DeviceSchema,
  deviceView,
  NewDeviceSchema,
  StatusSchema,
  statusView,
} from '../views/device-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['devices'];
const COLUMNS: Columns<Device> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  type: ({ type }) => type,
  profile: ({ profile }) => profile,
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
};
const ChangedDevice = Type.Object({ device: DeviceSchema });

export function registerDevices(app: ApiApp, context: ApiContext): void {
  app.get(
    '/devices',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List devices',
        querystring: Type.Object(listQuery(COLUMNS), { additionalProperties: false }),
        response: answers(200, pageSchema(DeviceSchema)),
      },
    },
    (request) => {
      const source = context.source(request);
      const own = source.model.devices
        .values()
        .filter((device) => device.accountId === source.accountId);
      return pageOf(own, request.query, {
        columns: COLUMNS,
        searched: ({ name, description }) => [name, description],
        view: (device) => deviceView(device, source),
      });
    },
  );

  app.post(
    '/devices',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Create a device',
        description:
          'Without an access mode it is known by its sources if it has some, else by a key.',
        body: NewDeviceSchema,
        response: answers(201, ChangedDevice),
      },
    },
    async (request, reply) => {
      const { value } = await context.change(request, 'device.create', (edit) =>
        createDevice(edit, request.body),
      );
      return reply.code(201).send({ device: deviceView(value, context.source(request)) });
    },
  );

  app.get(
    '/devices/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a device',
        params: IdParams,
        response: answers(200, DeviceSchema),
      },
    },
    (request) => {
      const device = findDevice(context.viewer(request), request.params.id);
      return deviceView(device, context.source(request));
    },
  );

  app.patch(
    '/devices/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Change a device',
        params: IdParams,
        body: DevicePatchSchema,
        response: answers(200, ChangedDevice),
      },
    },
    async (request) => {
      const { value } = await context.change(request, 'device.update', (edit) =>
        updateDevice(edit, request.params.id, request.body),
      );
      return { device: deviceView(value, context.source(request)) };
    },
  );

  app.delete(
    '/devices/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Delete a device',
        description: 'Its keys are revoked with it.',
        params: IdParams,
        response: answers(200, Type.Object({ deleted: NamedSchema })),
      },
    },
    async (request) => {
      const { value } = await context.change(request, 'device.delete', (edit) =>
        deleteDevice(edit, request.params.id),
      );
      return { deleted: { id: value.id, name: value.name } };
    },
  );

  app.put(
    '/devices/:id/policy',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Assign a policy to a device',
        description:
          'A device of type ip pulls an IP policy, one of type dns or roaming a DNS policy. Null takes it away.',
        params: IdParams,
        body: AssignmentSchema,
        response: answers(200, ChangedDevice),
      },
    },
    async (request) => {
      const { value } = await context.change(request, 'device.assign', (edit) =>
        assignPolicy(edit, request.params.id, request.body.policyId),
      );
      return { device: deviceView(value, context.source(request)) };
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
          'The last NOTIFY that it acknowledged, its last SOA query and its last transfer.',
        params: IdParams,
        response: answers(200, Type.Object({ items: Type.Array(StatusSchema) })),
      },
    },
    async (request) => {
      const device = findDevice(context.viewer(request), request.params.id);
      const rows = await context.options.deviceStatus();
      const serials = new Map(
        context.options.publisher.zones().map(({ origin, serial }) => [origin, serial]),
      );
      const items = rows
        .filter(({ deviceId }) => deviceId === device.id)
        .map((row) => statusView(row, serials.get(row.origin) ?? null));
      return { items };
    },
  );
}
