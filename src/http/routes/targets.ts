import { type Static, Type } from 'typebox';
import { bundleHolds } from '../../policy/bundle.ts';
import { memberCount } from '../../policy/member-sets.ts';
import { type BundleFilter, DANGER_LEVELS, type Target } from '../../policy/model.ts';
import { createTarget, deleteTarget, findTarget, updateTarget } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import {
  NewTargetSchema,
  TargetPatchSchema,
  TargetSchema,
  targetView,
} from '../views/target-view.ts';
import { ZoneChangesSchema } from '../views/zone-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['targets'];
const COLUMNS: Columns<Target> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  severity: ({ attributes }) => attributes.severity,
  confidence: ({ attributes }) => attributes.confidence,
  risk: ({ attributes }) => attributes.risk,
  danger: ({ attributes }) => DANGER_LEVELS.indexOf(attributes.danger),
  iocType: ({ attributes }) => attributes.iocType,
  threatType: ({ attributes }) => attributes.threatType,
  trafficType: ({ attributes }) => attributes.trafficType,
  origin: ({ origin }) => origin,
  size: ({ members }) => memberCount(members),
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
};

const bound = (maximum: number) => Type.Optional(Type.Integer({ minimum: 0, maximum }));
const ListTargetsQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    severityMin: bound(5),
    severityMax: bound(5),
    confidenceMin: bound(100),
    riskMin: bound(100),
    danger: Type.Optional(Type.Enum([...DANGER_LEVELS])),
    iocType: Type.Optional(Type.String()),
    threatType: Type.Optional(Type.String()),
    trafficType: Type.Optional(Type.String()),
    tag: Type.Optional(Type.String()),
    origin: Type.Optional(Type.Enum(['built-in', 'sample', 'custom'])),
  },
  { additionalProperties: false },
);

const ChangedTarget = Type.Object({ target: TargetSchema, zones: ZoneChangesSchema });

export function registerTargets(app: ApiApp, context: ApiContext): void {
  app.get(
    '/targets',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List targets',
        description: 'Targets of the catalogue, filtered by attributes.',
        querystring: ListTargetsQuery,
        response: answers(200, pageSchema(TargetSchema)),
      },
    },
    (request) => {
      const { targets } = context.options.publisher.model;
      const found = targets.values().filter((target) => matches(target, request.query));
      return pageOf(found, request.query, {
        columns: COLUMNS,
        searched: ({ name, description }) => [name, description],
        view: targetView,
      });
    },
  );

  app.post(
    '/targets',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Create a target',
        description: 'It holds no indicators yet; they are added with a request of their own.',
        body: NewTargetSchema,
        response: answers(201, ChangedTarget),
      },
    },
    async (request, reply) => {
      const { value, zones } = await context.change(request, 'target.create', (edit) =>
        createTarget(edit, request.body),
      );
      return reply.code(201).send({ target: targetView(value), zones });
    },
  );

  app.get(
    '/targets/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a target',
        params: IdParams,
        response: answers(200, TargetSchema),
      },
    },
    (request) => targetView(findTarget(context.viewer(request), request.params.id)),
  );

  app.patch(
    '/targets/:id',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Change a target',
        description: 'Fields and attributes that are not given stay as they are.',
        params: IdParams,
        body: TargetPatchSchema,
        response: answers(200, ChangedTarget),
      },
    },
    async (request) => {
      const { value, zones } = await context.change(request, 'target.update', (edit) =>
        updateTarget(edit, request.params.id, request.body),
      );
      return { target: targetView(value), zones };
    },
  );

  app.delete(
    '/targets/:id',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Delete a target',
        description: 'Refused while a policy attaches it directly.',
        params: IdParams,
        response: answers(200, Type.Object({ deleted: NamedSchema, zones: ZoneChangesSchema })),
      },
    },
    async (request) => {
      const { value, zones } = await context.change(request, 'target.delete', (edit) =>
        deleteTarget(edit, request.params.id),
      );
      return { deleted: { id: value.id, name: value.name }, zones };
    },
  );
}

function matches(target: Target, query: Static<typeof ListTargetsQuery>): boolean {
  const { origin, tag, danger, iocType, threatType, trafficType } = query;
  if (origin !== undefined && target.origin !== origin) return false;
  const filter: BundleFilter = {
    ...pick(query, ['severityMin', 'severityMax', 'confidenceMin', 'riskMin']),
    ...(danger === undefined ? {} : { danger: [danger] }),
    ...(iocType === undefined ? {} : { iocType: [iocType] }),
    ...(threatType === undefined ? {} : { threatType: [threatType] }),
    ...(trafficType === undefined ? {} : { trafficType: [trafficType] }),
    ...(tag === undefined ? {} : { tags: [tag] }),
  };
  return Object.keys(filter).length === 0 || bundleHolds(filter, target);
}

type Bound = 'severityMin' | 'severityMax' | 'confidenceMin' | 'riskMin';

function pick(query: Partial<Record<Bound, number>>, keys: readonly Bound[]): BundleFilter {
  const given = keys.filter((key) => query[key] !== undefined);
  return Object.fromEntries(given.map((key) => [key, query[key]]));
}
