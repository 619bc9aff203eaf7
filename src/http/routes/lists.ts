import { Type } from 'typebox';
import { memberCount } from '../../policy/member-sets.ts';
import type { UserList } from '../../policy/model.ts';
import { createList, deleteList, findList, updateList } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import { ListPatchSchema, ListSchema, listView, NewListSchema } from '../views/list-view.ts';
import { ZoneChangesSchema } from '../views/zone-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['lists'];
const COLUMNS: Columns<UserList> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  action: ({ action }) => action,
  entryCount: ({ entries }) => entries.size,
  size: ({ members }) => memberCount(members),
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
};
const ChangedList = Type.Object({ list: ListSchema, zones: ZoneChangesSchema });

export function registerLists(app: ApiApp, context: ApiContext): void {
  app.get(
    '/lists',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List user-defined lists',
        querystring: Type.Object(listQuery(COLUMNS), { additionalProperties: false }),
        response: answers(200, pageSchema(ListSchema)),
      },
    },
    (request) => {
      const { model, accountId } = context.viewer(request);
      const own = model.lists.values().filter((list) => list.accountId === accountId);
      return pageOf(own, request.query, {
        columns: COLUMNS,
        searched: ({ name, description }) => [name, description],
        view: listView,
      });
    },
  );

  app.post(
    '/lists',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Create a user-defined list',
        body: NewListSchema,
        response: answers(201, ChangedList),
      },
    },
    async (request, reply) => {
      const { value, zones } = await context.change(request, 'list.create', (edit) =>
        createList(edit, request.body),
      );
      return reply.code(201).send({ list: listView(value), zones });
    },
  );

  app.get(
    '/lists/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a user-defined list',
        params: IdParams,
        response: answers(200, ListSchema),
      },
    },
    (request) => listView(findList(context.viewer(request), request.params.id)),
  );

  app.patch(
    '/lists/:id',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Change a user-defined list',
        description: 'IP policies that hold it follow its action at once.',
        params: IdParams,
        body: ListPatchSchema,
        response: answers(200, ChangedList),
      },
    },
    async (request) => {
      const { value, zones } = await context.change(request, 'list.update', (edit) =>
        updateList(edit, request.params.id, request.body),
      );
      return { list: listView(value), zones };
    },
  );

  app.delete(
    '/lists/:id',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Delete a user-defined list',
        description: 'Refused while a policy attaches it.',
        params: IdParams,
        response: answers(200, Type.Object({ deleted: NamedSchema, zones: ZoneChangesSchema })),
      },
    },
    async (request) => {
      const { value, zones } = await context.change(request, 'list.delete', (edit) =>
        deleteList(edit, request.params.id),
      );
      return { deleted: { id: value.id, name: value.name }, zones };
    },
  );
}
