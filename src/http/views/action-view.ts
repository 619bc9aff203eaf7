import { type Static, Type } from 'typebox';
import type { Action } from '../../policy/action.ts';
import { ACTION_KINDS, LOCAL_RECORD_TYPES, LOCAL_RECORDS_MAX } from '../../publish/edits/index.ts';

export const ActionSchema = Type.Object(
  {
    kind: Type.Enum([...ACTION_KINDS], {
      description: 'IP policies: allow, block. DNS policies: all but block; allow is PASSTHRU.',
    }),
    to: Type.Optional(
      Type.String({
        description:
          'Only redirect: an absolute name, or "*." and one, which keeps the query name in front.',
        examples: ['garden.example.'],
      }),
    ),
    records: Type.Optional(
      Type.Array(
        Type.Object(
          { type: Type.Enum([...LOCAL_RECORD_TYPES]), data: Type.String() },
          { additionalProperties: false },
        ),
        { maxItems: LOCAL_RECORDS_MAX, description: 'Only local-data: what is answered instead.' },
      ),
    ),
  },
  { additionalProperties: false, examples: [{ kind: 'nxdomain' }] },
);

export function actionView(action: Action): Static<typeof ActionSchema> {
  switch (action.kind) {
    case 'redirect':
      return { kind: action.kind, to: action.to };
    case 'local-data':
      return {
        kind: action.kind,
        records: action.records.map(({ type, data }) => ({ type, data })),
      };
    default:
      return { kind: action.kind };
  }
}
