import { Type } from 'typebox';
import { PreviewAnswerSchema } from './preview-view.ts';
import { ZoneChangesSchema } from './zone-view.ts';

/** Operations of one batch. */
const OPERATIONS_MAX = 1_000;

const OperationSchema = Type.Object(
  {
    method: Type.Enum(['POST', 'PUT', 'PATCH', 'DELETE']),
    path: Type.String({
      minLength: 1,
      maxLength: 2_048,
      description: 'Below the prefix of the API, with its query, if any.',
      examples: ['/policies/1/attachments'],
    }),
    body: Type.Optional(
      Type.Unknown({ description: 'What the request would carry: JSON, or a text as a string.' }),
    ),
    contentType: Type.Optional(
      Type.String({
        maxLength: 100,
        description: 'Of a text; text/plain when absent.',
        examples: ['text/plain'],
      }),
    ),
    ifMatch: Type.Optional(
      Type.String({ maxLength: 2_048, description: 'What the header If-Match would say.' }),
    ),
  },
  { additionalProperties: false },
);

export const BatchSchema = Type.Object(
  {
    mode: Type.Optional(
      Type.Enum(['whole', 'rows'], {
        description:
          'whole (when absent): all operations are one change, or none is made. rows: each is a change by itself, whatever becomes of the others.',
      }),
    ),
    operations: Type.Array(OperationSchema, { minItems: 1, maxItems: OPERATIONS_MAX }),
  },
  {
    additionalProperties: false,
    examples: [
      {
        mode: 'whole',
        operations: [
          { method: 'POST', path: '/lists', body: { name: 'Branch offices', action: 'allow' } },
          { method: 'POST', path: '/lists', body: { name: 'Guests' } },
        ],
      },
    ],
  },
);

const ResultSchema = Type.Object({
  status: Type.Integer({ description: 'What the request by itself would be answered with.' }),
  etag: Type.Optional(Type.String()),
  answer: Type.Record(Type.String(), Type.Unknown(), {
    description: 'Its body: the answer of the route, a held change, or a problem.',
  }),
});

export const WHOLE_ANSWER = {
  results: Type.Array(ResultSchema, { description: 'In the order of the operations.' }),
};

export const BatchAnswerSchema = Type.Union([
  Type.Object({ ...WHOLE_ANSWER, zones: ZoneChangesSchema }),
  Type.Object({
    ...WHOLE_ANSWER,
    applied: Type.Integer({ description: 'Operations that were carried out.' }),
    held: Type.Integer({ description: 'Operations that wait to be confirmed.' }),
    refused: Type.Integer({ description: 'Operations that changed nothing.' }),
  }),
  PreviewAnswerSchema,
]);
