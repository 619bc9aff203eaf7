import { type Static, Type } from 'typebox';
import type { Action } from '../../policy/action.ts';
import type { ActionChoice, Model } from '../../policy/model.ts';
import {
  ACTION_CHOICE_KINDS,
  ACTION_KINDS,
  BEHAVIOUR_KINDS,
  LOCAL_RECORD_TYPES,
  LOCAL_RECORDS_MAX,
} from '../../publish/edits/index.ts';
import { IdSchema } from './common.ts';

const rdata = {
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
};

export const ActionSchema = Type.Object(
  {
    kind: Type.Enum([...ACTION_KINDS], {
      description: 'IP policies: allow, block. DNS policies: all but block; allow is PASSTHRU.',
    }),
    ...rdata,
  },
  { additionalProperties: false, examples: [{ kind: 'nxdomain' }] },
);

const choiceKind = Type.Enum([...ACTION_CHOICE_KINDS], {
  description:
    'IP policies: allow, block. DNS policies: all but block; allow is PASSTHRU, behaviour is one that has a name.',
});

/** What attachments and default actions may be given. */
export const ActionChoiceSchema = Type.Object(
  {
    kind: choiceKind,
    ...rdata,
    id: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Only behaviour: which one of your account.' }),
    ),
  },
  { additionalProperties: false, examples: [{ kind: 'nxdomain' }] },
);

export const ActionChoiceViewSchema = Type.Object(
  {
    kind: choiceKind,
    ...rdata,
    id: Type.Optional(IdSchema),
    name: Type.Optional(Type.String({ description: 'Only behaviour: what it is called.' })),
    action: Type.Optional(ActionSchema),
  },
  { description: 'An action; of a behaviour also the one that it stands for now.' },
);

/** What a behaviour stands for. */
export const BehaviourActionSchema = Type.Object(
  { kind: Type.Enum([...BEHAVIOUR_KINDS]), ...rdata },
  {
    additionalProperties: false,
    examples: [{ kind: 'local-data', records: [{ type: 'A', data: '192.0.2.80' }] }],
  },
);

export function actionChoiceView(
  choice: ActionChoice,
  { behaviours }: Pick<Model, 'behaviours'>,
): Static<typeof ActionChoiceViewSchema> {
  if (choice.kind !== 'behaviour') return actionView(choice);
  const { kind, id } = choice;
  const behaviour = behaviours.get(id);
  // A view of a change may be made when the next change is published already.
  if (behaviour === undefined) return { kind, id };
  return { kind, id, name: behaviour.name, action: actionView(behaviour.action) };
}

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
