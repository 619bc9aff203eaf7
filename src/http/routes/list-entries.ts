import { type Static, Type } from 'typebox';
import {
  changeEntries,
  type EntriesChanged,
  entriesOfText,
  findList,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { PartQuery, pageSchema, partOf } from '../page.ts';
import { answers, IdParams } from '../views/common.ts';
import {
  EntriesPatchSchema,
  EntriesReplaceSchema,
  EntrySchema,
  entryView,
} from '../views/list-view.ts';
import { ZoneChangesSchema } from '../views/zone-view.ts';
import type { ApiApp } from './app-type.ts';
import { TEXT, textBody } from './text-body.ts';

const tags = ['lists'];

const EntriesQuery = Type.Object(
  {
    ...PartQuery,
    q: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'Only entries whose value or comment holds this text, whatever the case.',
      }),
    ),
  },
  { additionalProperties: false },
);
const ChangeQuery = Type.Object(
  {
    confirmBroad: Type.Optional(
      Type.Boolean({ description: 'Accept public suffixes and very short prefixes.' }),
    ),
    confirmRoot: Type.Optional(
      Type.Boolean({ description: 'Accept the root, "*": everything there is.' }),
    ),
    rejected: Type.Optional(
      Type.Enum(['refuse', 'report'], {
        default: 'refuse',
        description:
          'Refuse the whole change over a bad entry, or leave bad ones out and report them.',
      }),
    ),
  },
  { additionalProperties: false },
);
const ChangedEntries = Type.Object({
  added: Type.Integer(),
  updated: Type.Integer({ description: 'Were there, and have another comment or expiry now.' }),
  removed: Type.Integer(),
  unchanged: Type.Integer(),
  rejectedTotal: Type.Integer(),
  rejected: Type.Array(
    Type.Object({
      list: Type.Enum(['add', 'remove', 'replace']),
      line: Type.Integer({ description: 'From 1: the place in the list.' }),
      text: Type.String(),
      reason: Type.String({ description: 'A code.' }),
      rule: Type.String({ description: 'The rule as a sentence.' }),
    }),
  ),
  zones: ZoneChangesSchema,
});

export function registerListEntries(app: ApiApp, context: ApiContext): void {
  const { textBodyMax } = context.options.limits;
  const bodyLimit = Math.min(ENTRIES_BODY_MAX, textBodyMax);

  app.get(
    '/lists/:id/entries',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the entries of a user-defined list',
        params: IdParams,
        querystring: EntriesQuery,
        response: answers(200, pageSchema(EntrySchema)),
      },
    },
    (request) => {
      const list = findList(context.viewer(request), request.params.id);
      const wanted = request.query.q?.toLowerCase() ?? '';
      const found = [...list.entries.values()].filter(
        ({ value, comment }) => value.includes(wanted) || comment.toLowerCase().includes(wanted),
      );
      const { limit, offset } = partOf(request.query);
      const items = found.slice(offset, offset + limit).map(entryView);
      return { total: found.length, offset, limit, items };
    },
  );

  app.patch(
    '/lists/:id/entries',
    {
      config: { access: 'editor' },
      bodyLimit,
      schema: {
        tags,
        summary: 'Add and remove entries',
        description:
          'Removes first, then adds. An entry that is there already takes over comment and expiry.',
        params: IdParams,
        querystring: ChangeQuery,
        body: EntriesPatchSchema,
        response: answers(200, ChangedEntries),
      },
    },
    async (request) => {
      const change = { ...request.body, ...request.query };
      const { value, zones } = await context.change(request, 'list.entries.change', (edit) =>
        changeEntries(edit, request.params.id, change),
      );
      return changedView(value, zones);
    },
  );

  app.put(
    '/lists/:id/entries',
    {
      config: { access: 'editor' },
      bodyLimit,
      schema: {
        tags,
        summary: 'Replace all entries',
        description:
          'As JSON, or as text/plain with one entry per line and its comment behind "#".',
        consumes: ['application/json', TEXT],
        params: IdParams,
        querystring: ChangeQuery,
        body: {
          content: {
            'application/json': { schema: EntriesReplaceSchema },
            [TEXT]: { schema: textBody('192.0.2.0/24 # offices\nshop.example\n') },
          },
        },
        response: answers(200, ChangedEntries),
      },
    },
    async (request) => {
      const body = request.body as Uint8Array | Static<typeof EntriesReplaceSchema>;
      const replace =
        body instanceof Uint8Array ? entriesOfText(new TextDecoder().decode(body)) : body.entries;
      const change = { ...request.query, replace };
      const { value, zones } = await context.change(request, 'list.entries.replace', (edit) =>
        changeEntries(edit, request.params.id, change),
      );
      return changedView(value, zones);
    },
  );
}

/** 32,000 entries with long comments. */
const ENTRIES_BODY_MAX = 24 * 1024 * 1024;

function changedView<Zones>(changed: EntriesChanged, zones: Zones) {
  return { ...changed, rejected: [...changed.rejected], zones };
}
