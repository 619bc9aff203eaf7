import { type Static, Type } from 'typebox';
import type { Behaviour, Model } from '../../policy/model.ts';
import { usesBehaviour } from '../../publish/edits/index.ts';
import { BehaviourActionSchema } from './action-view.ts';
import { IdSchema, NamedSchema, Times, timesView } from './common.ts';
import { DescriptionSchema, NameSchema } from './target-view.ts';

export const BehaviourSchema = Type.Object({
  id: IdSchema,
  name: NameSchema,
  description: DescriptionSchema,
  action: BehaviourActionSchema,
  policies: Type.Array(NamedSchema, { description: 'Policies that use it.' }),
  ...Times,
});

const example = {
  name: 'Garden',
  description: 'The page that says why a site is blocked',
  action: {
    kind: 'local-data',
    records: [
      { type: 'A', data: '192.0.2.80' },
      { type: 'AAAA', data: '2001:db8::80' },
    ],
  },
};

export const NewBehaviourSchema = Type.Object(
  {
    name: NameSchema,
    description: Type.Optional(DescriptionSchema),
    action: BehaviourActionSchema,
  },
  { additionalProperties: false, examples: [example] },
);
export const BehaviourPatchSchema = Type.Object(
  {
    name: Type.Optional(NameSchema),
    description: Type.Optional(DescriptionSchema),
    action: Type.Optional(BehaviourActionSchema),
  },
  {
    additionalProperties: false,
    examples: [{ action: { kind: 'redirect', to: '*.garden.example.' } }],
  },
);

export function behaviourView(
  behaviour: Behaviour,
  { policies }: Pick<Model, 'policies'>,
): Static<typeof BehaviourSchema> {
  const { id, name, description, action } = behaviour;
  const users = [...policies.values()].filter((policy) => usesBehaviour(policy, id));
  return {
    id,
    name,
    description,
    action:
      action.kind === 'redirect'
        ? { kind: action.kind, to: action.to }
        : { kind: action.kind, records: action.records.map(({ type, data }) => ({ type, data })) },
    policies: users.map((policy) => ({ id: policy.id, name: policy.name })),
    ...timesView(behaviour),
  };
}
