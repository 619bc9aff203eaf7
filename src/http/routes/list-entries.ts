import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { ListEntry, UserList } from '../../policy/model.ts';
import {
  changeEntries,
  csvOfEntries,
  decodeText,
  type EntriesChanged,
  entriesOfCsv,
  entriesOfText,
  findList,
  textOfEntries,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { type Columns, cutPage, listQuery, pageSchema } from '../page.ts';
import { preferredType } from '../preferred-type.ts';
import { IdParams, ProblemAnswer } from '../views/common.ts';
import {
  EntriesPatchSchema,
  EntriesReplaceSchema,
  EntrySchema,
  entryView,
} from '../views/list-view.ts';
import type { ApiApp } from './app-type.ts';
import { CSV, TEXT, textBody } from './text-body.ts';

const tags = ['lists'];
const JSON_TYPE = 'application/json';
const TYPE_OF_FORMAT = { json: JSON_TYPE, text: TEXT, csv: CSV } as const;

const COLUMNS: Columns<ListEntry> = {
  value: ({ value }) => value,
  comment: ({ comment }) => comment,
  // Those that never expire come last.
  expiresAt: ({ expiresAt }) => expiresAt ?? Number.MAX_SAFE_INTEGER,
  createdAt: ({ createdAt }) => createdAt,
};
const EntriesQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    q: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'Only entries whose value or comment holds this text, whatever the case.',
      }),
    ),
    expires: Type.Optional(Type.Boolean({ description: 'Whether the entry will expire.' })),
    format: Type.Optional(
      Type.Enum(['json', 'text', 'csv'], {
        description:
          'Goes before the header Accept. As text and CSV all entries are given, in the form in which they can be imported again; of the other fields only the filters count then.',
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
const ChangedEntries = {
  added: Type.Integer(),
  updated: Type.Integer({ description: 'Were there, and have another comment or expiry now.' }),
  removed: Type.Integer(),
  unchanged: Type.Integer(),
  rejectedTotal: Type.Integer(),
  rejected: Type.Array(
    Type.Object({
      list: Type.Enum(['add', 'remove', 'replace']),
      line: Type.Integer({ description: 'From 1: the line of a text, or the place in the list.' }),
      text: Type.String(),
      reason: Type.String({ description: 'A code.' }),
      rule: Type.String({ description: 'The rule as a sentence.' }),
    }),
  ),
};

const TEXT_EXAMPLE =
  '192.0.2.0/24 # offices\nshop.example expires=2099-01-31T12:00:00Z # until the fair\n';
const CSV_EXAMPLE =
  'value,comment,expires\r\n192.0.2.0/24,offices,\r\nshop.example,until the fair,2099-01-31T12:00:00Z\r\n';

export function registerListEntries(app: ApiApp, context: ApiContext): void {
  const { textBodyMax } = context.options.limits;
  const { publisher } = context.options;

  app.get(
    '/lists/:id/entries',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the entries of a user-defined list',
        description: 'As pages of JSON, or all of them as text or CSV.',
        params: IdParams,
        querystring: EntriesQuery,
        response: {
          200: {
            content: {
              [JSON_TYPE]: { schema: pageSchema(EntrySchema) },
              [TEXT]: { schema: Type.String({ examples: [TEXT_EXAMPLE] }) },
              [CSV]: { schema: Type.String({ examples: [CSV_EXAMPLE] }) },
            },
          },
          '4xx': ProblemAnswer,
          '5xx': ProblemAnswer,
        },
      },
    },
    (request, reply) => {
      const list = findList(context.viewer(request), request.params.id);
      const { format, expires } = request.query;
      const type =
        format === undefined
          ? preferredType(request.headers.accept, [JSON_TYPE, TEXT, CSV])
          : TYPE_OF_FORMAT[format];
      reply.header('vary', 'accept');
      // RFC 9110 section 8.8.3: what Accept chooses between must not have one strong ETag in common.
      if (format !== undefined || type === JSON_TYPE)
        reply.header('etag', etagOf(publisher.model, 'list', request.params));
      const entries = sortedEntries(list.entries).filter(
        ({ expiresAt }) => expires === undefined || (expiresAt !== null) === expires,
      );
      if (type === JSON_TYPE) return entriesPage(entries, request.query);
      const wanted = request.query.q?.toLowerCase() ?? '';
      const exported = entries.filter((entry) => isWanted(entry, wanted));
      const extension = type === CSV ? 'csv' : 'txt';
      reply
        .type(`${type}; charset=utf-8`)
        .header('content-disposition', `attachment; filename="list-${list.id}.${extension}"`);
      return type === CSV ? csvOfEntries(exported) : textOfEntries(exported);
    },
  );

  const common = {
    access: 'editor',
    tag: 'lists',
    locks: 'list',
    url: '/lists/:id/entries',
    params: IdParams,
    query: ChangeQuery,
    bodyLimit: Math.min(ENTRIES_BODY_MAX, textBodyMax),
    answer: ChangedEntries,
    view: (changed: EntriesChanged) => ({ ...changed, rejected: [...changed.rejected] }),
  } as const;

  changeRoute(app, context, {
    ...common,
    method: 'PATCH',
    action: 'list.entries.change',
    summary: 'Add and remove entries',
    description:
      'Removes first, then adds. An entry that is there already takes over comment and expiry.',
    body: EntriesPatchSchema,
    edit: (edit, { params, query, body }) => changeEntries(edit, params.id, { ...body, ...query }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'PUT',
    action: 'list.entries.replace',
    summary: 'Replace all entries',
    description:
      'As JSON; as text with one entry per line, optionally `expires=` and a time, and a comment behind "#"; or as CSV (RFC 4180) with the columns value, comment, expires, whose header may be absent.',
    consumes: [JSON_TYPE, TEXT, CSV],
    body: {
      content: {
        [JSON_TYPE]: { schema: EntriesReplaceSchema },
        [TEXT]: { schema: textBody(TEXT_EXAMPLE) },
        [CSV]: { schema: textBody(CSV_EXAMPLE) },
      },
    },
    edit: (edit, { params, query, body }, request) => {
      const given = body as Uint8Array | Static<typeof EntriesReplaceSchema>;
      if (!(given instanceof Uint8Array)) {
        return changeEntries(edit, params.id, { ...query, replace: given.entries });
      }
      const { items, lines } = readTextBody(decodeText(given), request);
      return changeEntries(edit, params.id, { ...query, replace: items, lines });
    },
  });
}

/** 32,000 entries with long comments. */
const ENTRIES_BODY_MAX = 24 * 1024 * 1024;

/** By value, once per state of the list: the pages of a long list ask for it again and again. */
function sortedEntries(entries: UserList['entries']): readonly ListEntry[] {
  const known = sorted.get(entries);
  if (known !== undefined) return known;
  const byValue = [...entries.values()].sort((a, b) => (a.value < b.value ? -1 : 1));
  sorted.set(entries, byValue);
  return byValue;
}

const sorted = new WeakMap<UserList['entries'], readonly ListEntry[]>();

function entriesPage(entries: readonly ListEntry[], query: Static<typeof EntriesQuery>) {
  return cutPage(entries, query, {
    columns: COLUMNS,
    searched: ({ value, comment }) => [value, comment],
    idOf: ({ value }) => value,
    sort: 'value',
    view: entryView,
  });
}

function isWanted({ value, comment }: ListEntry, text: string): boolean {
  return text === '' || value.includes(text) || comment.toLowerCase().includes(text);
}

function readTextBody(text: string, request: FastifyRequest) {
  const isCsv = request.headers['content-type']?.startsWith(CSV) === true;
  return isCsv ? entriesOfCsv(text) : entriesOfText(text);
}
