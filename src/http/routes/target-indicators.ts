import { Type } from 'typebox';
import { memberCount } from '../../policy/member-sets.ts';
import {
  changeIndicators,
  findTarget,
  INDICATOR_TEXTS_MAX,
  type IndicatorsChanged,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { PartQuery, pageSchema, partOf } from '../page.ts';
import { answers, IdParams } from '../views/common.ts';
import { ZoneChangesSchema } from '../views/zone-view.ts';
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
const ChangedIndicators = Type.Object({
  added: Type.Integer(),
  removed: Type.Integer(),
  unchanged: Type.Integer({ description: 'Wanted, and held before.' }),
  duplicates: Type.Integer({ description: 'Lines that repeat another one.' }),
  rejectedTotal: Type.Integer(),
  rejectedByReason: Type.Record(Type.String(), Type.Integer()),
  rejected: Type.Array(RejectedSchema, { description: 'The first of them.' }),
  zones: ZoneChangesSchema,
});

export function registerTargetIndicators(app: ApiApp, context: ApiContext): void {
  const { textBodyMax } = context.options.limits;

  app.get(
    '/targets/:id/indicators',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the indicators of a target',
        description: 'In the order in which they came into the system.',
        params: IdParams,
        querystring: Type.Object(PartQuery, { additionalProperties: false }),
        response: answers(200, pageSchema(Type.String({ examples: ['*.evil.example'] }))),
      },
    },
    (request) => {
      const target = findTarget(context.viewer(request), request.params.id);
      const { limit, offset } = partOf(request.query);
      const holder = { kind: 'target', id: target.id } as const;
      const items = context.options.publisher.listMembers(holder, offset, limit);
      return { total: memberCount(target.members), offset, limit, items: [...items] };
    },
  );

  app.patch(
    '/targets/:id/indicators',
    {
      config: { access: 'editor' },
      bodyLimit: Math.min(PATCH_BODY_MAX, textBodyMax),
      schema: {
        tags,
        summary: 'Add and remove indicators',
        description: 'Removes first, then adds. Zones serve the result when the answer comes.',
        params: IdParams,
        querystring: ChangeQuery,
        body: IndicatorsPatch,
        response: answers(200, ChangedIndicators),
      },
    },
    async (request) => {
      const change = { ...request.body, ...request.query };
      const { value, zones } = await context.change(request, 'target.indicators.change', (edit) =>
        changeIndicators(edit, request.params.id, change),
      );
      return changedView(value, zones);
    },
  );

  app.put(
    '/targets/:id/indicators',
    {
      config: { access: 'editor' },
      bodyLimit: textBodyMax,
      schema: {
        tags,
        summary: 'Replace all indicators',
        description:
          'One indicator per line; empty lines and what follows "#" mean nothing. A text without a single indicator in it is refused.',
        consumes: [TEXT],
        params: IdParams,
        querystring: ChangeQuery,
        body: textBody('evil.example\n*.bad.example\n192.0.2.0/24\n'),
        response: answers(200, ChangedIndicators),
      },
    },
    async (request) => {
      const change = { ...request.query, replace: request.body };
      const { value, zones } = await context.change(request, 'target.indicators.replace', (edit) =>
        changeIndicators(edit, request.params.id, change),
      );
      return changedView(value, zones);
    },
  );
}

/** As many texts as the schema takes, of the length that names have at most. */
const PATCH_BODY_MAX = 26 * 1024 * 1024;

function changedView<Zones>(changed: IndicatorsChanged, zones: Zones) {
  return {
    ...changed,
    rejectedByReason: { ...changed.rejectedByReason },
    rejected: [...changed.rejected],
    zones,
  };
}
