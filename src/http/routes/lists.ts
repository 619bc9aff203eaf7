import { type Static, Type } from 'typebox';
import { memberCount } from '../../policy/member-sets.ts';
import type { UserList } from '../../policy/model.ts';
import {
  createList,
  deleteList,
  findList,
  firstExpiry,
  LIST_ACTIONS,
  seesList,
  updateList,
  type Viewer,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { listQuery, pageOf, pageSchema, type SortKey } from '../page.ts';
import { countMemberAddresses } from '../views/address-count.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import {
  ListPatchSchema,
  ListSchema,
  type ListViewer,
  listView,
  NewListSchema,
} from '../views/list-view.ts';
import { attachedIds } from '../views/model-index.ts';
import type { ApiApp } from './app-type.ts';
import { InPolicyQuery, inPolicyFilter } from './in-policy.ts';

const tags = ['lists'];
const COLUMNS = [
  'id',
  'name',
  'description',
  'action',
  'owner',
  'entries',
  'records',
  'addresses4',
  'addresses6',
  'nextExpiry',
  'createdAt',
  'updatedAt',
] as const;
const bound = Type.Optional(Type.Integer({ minimum: 0 }));
const ListListsQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    action: Type.Optional(Type.Enum([...LIST_ACTIONS])),
    owner: Type.Optional(Type.String({ maxLength: 63, description: 'Label of its account.' })),
    readOnly: Type.Optional(
      Type.Boolean({ description: 'Whether another account shares it with yours.' }),
    ),
    shared: Type.Optional(
      Type.Boolean({ description: 'Whether your account shares it with others.' }),
    ),
    expires: Type.Optional(Type.Boolean({ description: 'Whether an entry of it will expire.' })),
    entriesMin: bound,
    entriesMax: bound,
    recordsMin: bound,
    recordsMax: bound,
    ...InPolicyQuery,
  },
  { additionalProperties: false },
);
type ListListsQuery = Static<typeof ListListsQuery>;

export function registerLists(app: ApiApp, context: ApiContext): void {
  const { publisher } = context.options;
  const common = { access: 'editor', tag: 'lists', answer: { list: ListSchema } } as const;
  const viewerOf = (request: Parameters<ApiContext['viewer']>[0]) => ({
    ...context.viewer(request),
    catalogue: publisher.catalogue,
  });
  const view = (list: UserList, request: Parameters<ApiContext['viewer']>[0]) => ({
    list: listView(list, viewerOf(request)),
  });

  app.get(
    '/lists',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List user-defined lists',
        description: 'Your own, and those that other accounts share with yours.',
        querystring: ListListsQuery,
        response: answers(200, pageSchema(ListSchema)),
      },
    },
    (request) => {
      const viewer = viewerOf(request);
      const isWanted = inPolicyFilter(viewer, request.query, (policy) =>
        attachedIds(policy, 'list'),
      );
      const found = viewer.model.lists
        .values()
        .filter((list) => seesList(viewer.accountId, list))
        .filter((list) => matches(list, request.query, viewer) && isWanted(list.id));
      return pageOf(found, request.query, {
        columns: columnsOf(viewer),
        searched: ({ name, description }) => [name, description],
        view: (list) => listView(list, viewer),
      });
    },
  );

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/lists',
    action: 'list.create',
    summary: 'Create a user-defined list',
    status: 201,
    body: NewListSchema,
    edit: (edit, { body }) => createList(edit, body),
    view,
  });

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
    (request, reply) => {
      const viewer = viewerOf(request);
      const list = findList(viewer, request.params.id);
      reply.header('etag', etagOf(viewer.model, 'list', request.params));
      return listView(list, viewer);
    },
  );

  changeRoute(app, context, {
    ...common,
    locks: 'list',
    method: 'PATCH',
    url: '/lists/:id',
    action: 'list.update',
    summary: 'Change a user-defined list',
    description: 'IP policies that hold it follow its action at once.',
    params: IdParams,
    body: ListPatchSchema,
    edit: (edit, { params, body }) => updateList(edit, params.id, body),
    view,
  });

  changeRoute(app, context, {
    ...common,
    locks: 'list',
    answer: { deleted: NamedSchema },
    method: 'DELETE',
    url: '/lists/:id',
    action: 'list.delete',
    summary: 'Delete a user-defined list',
    description:
      'Refused while a policy attaches it, also one of an account that it is shared with.',
    params: IdParams,
    edit: (edit, { params }) => deleteList(edit, params.id),
    view: ({ id, name }) => ({ deleted: { id, name } }),
  });
}

function columnsOf(
  viewer: ListViewer,
): Readonly<Record<(typeof COLUMNS)[number], (list: UserList) => SortKey>> {
  const { model, catalogue } = viewer;
  return {
    id: ({ id }) => id,
    name: ({ name }) => name,
    description: ({ description }) => description,
    action: ({ action }) => action,
    owner: ({ accountId }) => model.accounts.get(accountId)?.label ?? '',
    entries: ({ entries }) => entries.size,
    records: ({ members }) => memberCount(members),
    // Exact: a number of JavaScript would lose what tells large IPv6 blocks apart.
    addresses4: ({ members }) => countMemberAddresses(catalogue, members, 4),
    addresses6: ({ members }) => countMemberAddresses(catalogue, members, 6),
    // Those that never expire come last.
    nextExpiry: ({ entries }) => firstExpiry(entries) ?? Number.MAX_SAFE_INTEGER,
    createdAt: ({ createdAt }) => createdAt,
    updatedAt: ({ updatedAt }) => updatedAt,
  };
}

function matches(list: UserList, query: ListListsQuery, { model, accountId }: Viewer): boolean {
  const { action, owner, readOnly, shared, expires } = query;
  const isWithin = (value: number, least = 0, most = Number.POSITIVE_INFINITY): boolean =>
    value >= least && value <= most;
  const isOwn = list.accountId === accountId;
  return (
    (action === undefined || list.action === action) &&
    (owner === undefined || model.accounts.get(list.accountId)?.label === owner.toLowerCase()) &&
    (readOnly === undefined || readOnly === !isOwn) &&
    (shared === undefined || (isOwn && list.sharedWith.length > 0) === shared) &&
    (expires === undefined || (firstExpiry(list.entries) !== null) === expires) &&
    isWithin(list.entries.size, query.entriesMin, query.entriesMax) &&
    isWithin(memberCount(list.members), query.recordsMin, query.recordsMax)
  );
}
