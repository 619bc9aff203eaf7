import { Type } from 'typebox';
import type { Catalogue } from '../../indicators/catalogue.ts';
import { memberCount } from '../../policy/member-sets.ts';
import type { Target } from '../../policy/model.ts';
import { ModelError } from '../../policy/model-error.ts';
import {
  changeIndicators,
  findTarget,
  INDICATOR_TEXTS_MAX,
  type IndicatorsChanged,
  type Viewer,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { CursorQuery, PartQuery, pageSchema, partOf, readCursor, writeCursor } from '../page.ts';
import { answers, IdParams } from '../views/common.ts';
import { membersBehind, membersUpTo } from '../views/member-page.ts';
import { isEntitled } from '../views/target-view.ts';
import type { ApiApp } from './app-type.ts';
import { TEXT, textBody } from './text-body.ts';

const tags = ['targets'];

const ChangeQuery = Type.Object(
  {
    confirmBroad: Type.Optional(
      Type.Boolean({ description: 'Accept public suffixes and very short prefixes.' }),
    ),
    confirmRoot: Type.Optional(
      Type.Boolean({ description: 'Accept the root, "*": everything there is.' }),
    ),
    rejected: Type.Optional(
      Type.Enum(['report', 'refuse'], {
        default: 'report',
        description: 'Leave rejected lines out and report them, or refuse the whole change.',
      }),
    ),
  },
  { additionalProperties: false },
);

const IndicatorTexts = Type.Array(Type.String(), { maxItems: INDICATOR_TEXTS_MAX });
const IndicatorsPatch = Type.Object(
  { add: Type.Optional(IndicatorTexts), remove: Type.Optional(IndicatorTexts) },
  {
    additionalProperties: false,
    examples: [
      {
        add: ['evil.example', '*.bad.example', '192.0.2.0/24', 'nsip:2001:db8::/32'],
        remove: ['good.example'],
      },
    ],
  },
);

const RejectedSchema = Type.Object({
  list: Type.Enum(['add', 'remove', 'replace']),
  line: Type.Integer({ description: 'From 1: the line of a text, or the place in a list.' }),
  text: Type.String(),
  reason: Type.String({ description: 'A code.' }),
  rule: Type.String({ description: 'The rule as a sentence.' }),
});
const ChangedIndicators = {
  added: Type.Integer(),
  removed: Type.Integer(),
  unchanged: Type.Integer({ description: 'Wanted, and held before.' }),
  duplicates: Type.Integer({ description: 'Lines that repeat another one.' }),
  rejectedTotal: Type.Integer(),
  rejectedByReason: Type.Record(Type.String(), Type.Integer()),
  rejected: Type.Array(RejectedSchema, { description: 'The first of them.' }),
};

export function registerTargetIndicators(app: ApiApp, context: ApiContext): void {
  const { textBodyMax } = context.options.limits;

  app.get(
    '/targets/:id/indicators',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the indicators of a target',
        description:
          'In the order in which they came into the system. Those of a partner are shown to accounts with an entitlement, and to the one that keeps the catalogue.',
        params: IdParams,
        querystring: Type.Object({ ...PartQuery, ...CursorQuery }, { additionalProperties: false }),
        response: answers(200, pageSchema(Type.String({ examples: ['*.evil.example'] }))),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      const target = findTarget(viewer, request.params.id);
      refuseWithoutEntitlement(target, viewer);
      const { limit, offset } = partOf(request.query);
      const { publisher } = context.options;
      const total = memberCount(target.members);
      if (offset > 0 && request.query.cursor === undefined) {
        const items = publisher.listMembers({ kind: 'target', id: target.id }, offset, limit);
        return { total, offset, limit, items: [...items] };
      }
      return { total, limit, ...pageBehind(target, publisher.catalogue, request.query) };
    },
  );

  const common = {
    access: 'editor',
    tag: 'targets',
    locks: 'target',
    url: '/targets/:id/indicators',
    params: IdParams,
    query: ChangeQuery,
    answer: ChangedIndicators,
    view: changedView,
  } as const;

  changeRoute(app, context, {
    ...common,
    method: 'PATCH',
    action: 'target.indicators.change',
    summary: 'Add and remove indicators',
    description: 'Removes first, then adds. Zones serve the result when the answer comes.',
    bodyLimit: Math.min(PATCH_BODY_MAX, textBodyMax),
    body: IndicatorsPatch,
    edit: (edit, { params, query, body }) =>
      changeIndicators(edit, params.id, { ...body, ...query }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'PUT',
    action: 'target.indicators.replace',
    summary: 'Replace all indicators',
    description:
      'One indicator per line; empty lines and what follows "#" mean nothing. A text without a single indicator in it is refused.',
    consumes: [TEXT],
    bodyLimit: textBodyMax,
    body: textBody('evil.example\n*.bad.example\n192.0.2.0/24\n'),
    edit: (edit, { params, query, body }) =>
      changeIndicators(edit, params.id, { ...query, replace: body }),
  });
}

/** A page without an offset: it begins at the first indicator or behind the one that the cursor names. */
function pageBehind(target: Target, catalogue: Catalogue, query: PartQuery & { cursor?: string }) {
  const at = query.cursor === undefined ? null : readCursor(query, ORDER);
  const place = at === null ? null : { form: Number(at.key), id: Number(at.id) };
  const { limit } = partOf(query);
  const { lines, last } = membersBehind(target.members, catalogue, { place, limit });
  return {
    offset: place === null ? 0 : membersUpTo(target.members, place),
    next: last === null ? null : writeCursor(ORDER, { key: last.form, id: last.id }),
    items: lines,
  };
}

/** The one order of indicators, as cursors name it. */
const ORDER = 'members';

/** What a partner sells is no more to be read than to be used without an entitlement. */
export function refuseWithoutEntitlement(target: Target, viewer: Viewer): void {
  const account = viewer.model.accounts.get(viewer.accountId);
  if (account?.operator || isEntitled(target, viewer)) return;
  const rule = `Target "${target.name}" comes from a partner, and account "${account?.label}" has no entitlement to it.`;
  throw new ModelError('not-entitled', { field: 'target id', value: target.id, rule });
}

/** As many texts as the schema takes, of the length that names have at most. */
const PATCH_BODY_MAX = 26 * 1024 * 1024;

function changedView(changed: IndicatorsChanged) {
  return {
    ...changed,
    rejectedByReason: { ...changed.rejectedByReason },
    rejected: [...changed.rejected],
  };
}
