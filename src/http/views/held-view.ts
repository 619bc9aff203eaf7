import { type Static, Type } from 'typebox';
import type { HeldChange } from '../../policy/model.ts';
import { ProblemSchema } from '../problem.ts';
import { withoutSecrets } from '../secret-fields.ts';
import { IdSchema, isoTime, nullable } from './common.ts';
import { PreviewSchema } from './preview-view.ts';

const Time = Type.String({ format: 'date-time', examples: ['2030-01-31T12:00:00.000Z'] });

/** A change that waits, as lists show it. */
export const HeldChangeSchema = Type.Object({
  id: IdSchema,
  actor: Type.String({ description: 'Who asked for it.' }),
  action: Type.String({ examples: ['target.indicators.replace 12'] }),
  method: Type.String(),
  path: Type.String({ description: 'Below the prefix of the API, with its query.' }),
  reasons: Type.Array(Type.String(), { description: 'Why it is held, as sentences.' }),
  createdAt: Time,
  expiresAt: Time,
});

/** A change that waits, with what it would do now. */
export const HeldChangeDetailSchema = Type.Object({
  ...HeldChangeSchema.properties,
  ifMatch: nullable(Type.String({ description: 'The ETag that is checked again.' })),
  body: Type.Unknown({
    description:
      'What was sent, with secrets left out; a text longer than 10,000 characters is cut.',
  }),
  preview: nullable(PreviewSchema),
  problem: nullable(
    Type.Object(ProblemSchema.properties, {
      description: 'Why it can no longer be carried out; null while it can.',
    }),
  ),
});
export type HeldChangeDetail = Static<typeof HeldChangeDetailSchema>;

export function heldChangeView(held: HeldChange): Static<typeof HeldChangeSchema> {
  const { id, actor, action, request, reasons, createdAt, expiresAt } = held;
  return {
    id,
    actor,
    action,
    method: request.method,
    path: request.path,
    reasons: [...reasons],
    createdAt: isoTime(createdAt),
    expiresAt: isoTime(expiresAt),
  };
}

const BODY_CHARACTERS_MAX = 10_000;

/** The body as it was sent, without what nobody else should read. */
export function heldBodyView({ request: { body, textType } }: HeldChange): unknown {
  if (body === null) return null;
  if (textType !== null) return cut(body);
  const shown = withoutSecrets(JSON.parse(body));
  const text = JSON.stringify(shown);
  return text.length <= BODY_CHARACTERS_MAX ? shown : cut(text);
}

function cut(text: string): string {
  return text.length <= BODY_CHARACTERS_MAX ? text : `${text.slice(0, BODY_CHARACTERS_MAX)}…`;
}
