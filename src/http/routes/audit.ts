import { type Static, Type } from 'typebox';
import type { AccountId } from '../../policy/model.ts';
import { ModelError } from '../../policy/model-error.ts';
import type { ChangeQuery, LoggedChange } from '../../publish/store-port.ts';
import type { ApiContext } from '../api-context.ts';
import { AUDITED_KINDS, AuditRowSchema, auditRowView } from '../views/audit-view.ts';
import { answers, nullable } from '../views/common.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['audit'];
/** Rows are large: one of them tells up to thousands of zones. */
const ROWS_MAX = 200;
const ROWS_DEFAULT = 50;
/** Characters of the stored bodies of one page: the row that reaches them is its last. */
const PAGE_CHARACTERS = 2_000_000;
const TEXT_LENGTH_MAX = 200;

const TimeSchema = Type.String({ format: 'date-time', examples: ['2030-01-31T12:00:00.000Z'] });
const AuditQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: ROWS_MAX, default: ROWS_DEFAULT })),
    before: Type.Optional(
      Type.Integer({ minimum: 1, description: '`next` of the page before this one.' }),
    ),
    actor: Type.Optional(
      Type.String({ maxLength: TEXT_LENGTH_MAX, description: 'Who did it, exactly.' }),
    ),
    action: Type.Optional(
      Type.String({
        maxLength: TEXT_LENGTH_MAX,
        description: 'How the action begins: `policy.` finds `policy.update 3`.',
      }),
    ),
    kind: Type.Optional(
      Type.Enum([...AUDITED_KINDS], { description: 'What was touched, together with `id`.' }),
    ),
    id: Type.Optional(Type.Integer({ minimum: 1 })),
    from: Type.Optional(TimeSchema),
    to: Type.Optional(TimeSchema),
  },
  { additionalProperties: false },
);
type AuditQuery = Static<typeof AuditQuery>;

/** The audit trail. It is only read here: rows come with the changes that they tell. */
export function registerAudit(app: ApiApp, context: ApiContext): void {
  app.get(
    '/audit',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Read the audit trail',
        description:
          'What was done on behalf of your account, and what the server itself and other accounts did that concerns it, newest first: who, when, what it was before and after, and which zones got which serial. What belongs to other accounts is left out, and their rows name neither them nor who did it. A page may hold fewer rows than asked for, and ends early when its rows are large; there are more as long as `next` is a number.',
        querystring: AuditQuery,
        response: answers(
          200,
          Type.Object({
            items: Type.Array(AuditRowSchema),
            next: nullable(Type.Integer({ description: 'Ask for the next page with `before`.' })),
          }),
        ),
      },
    },
    async (request) => {
      const viewer = context.viewer(request);
      const query = changeQuery(request.query, viewer.accountId);
      const rows = await context.options.publisher.changes(query);
      const items = rows.flatMap((row) => auditRowView(row, viewer, query.subject) ?? []);
      const next = isLastPage(rows, query) ? null : (rows.at(-1)?.sequence ?? null);
      return { items, next };
    },
  );
}

function isLastPage(rows: readonly LoggedChange[], { limit }: ChangeQuery): boolean {
  const characters = rows.reduce((sum, { body }) => sum + body.length, 0);
  return rows.length < limit && characters < PAGE_CHARACTERS;
}

function changeQuery(query: AuditQuery, accountId: AccountId): ChangeQuery {
  const { limit = ROWS_DEFAULT, before, actor, action, from, to } = query;
  const subject = subjectOf(query);
  return {
    limit,
    bodyCharacters: PAGE_CHARACTERS,
    accountId,
    ...(before === undefined ? {} : { before }),
    ...(actor === undefined ? {} : { actor }),
    ...(action === undefined ? {} : { action }),
    ...(subject === undefined ? {} : { subject }),
    ...(from === undefined ? {} : { from: timeOf('from', from) }),
    ...(to === undefined ? {} : { to: timeOf('to', to) }),
  };
}

function subjectOf({ kind, id }: AuditQuery): ChangeQuery['subject'] {
  if (kind === undefined && id === undefined) return undefined;
  if (kind !== undefined && id !== undefined) return { kind: String(kind), id };
  const field = kind === undefined ? 'kind' : 'id';
  const rule = 'Ask for a kind together with an id.';
  throw new ModelError('field-missing', { field, value: null, rule });
}

function timeOf(field: string, text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  const rule = 'A time is written like 2030-01-31T12:00:00Z.';
  throw new ModelError('invalid-value', { field, value: text, rule });
}
