import { type Static, Type } from 'typebox';
import { memberCount } from '../../policy/member-sets.ts';
import {
  type AccountId,
  DANGER_LEVELS,
  type Model,
  type Target,
  type TargetAttributes,
} from '../../policy/model.ts';
import {
  DESCRIPTION_LENGTH_MAX,
  NAME_LENGTH_MAX,
  TAG_LENGTH_MAX,
  TAGS_MAX,
  TRAFFIC_TYPES,
} from '../../publish/edits/index.ts';
import { IdSchema, Times, timesView } from './common.ts';
import { entitledOf } from './model-index.ts';

export const NameSchema = Type.String({ minLength: 1, maxLength: NAME_LENGTH_MAX });
export const DescriptionSchema = Type.String({ maxLength: DESCRIPTION_LENGTH_MAX });

const percent = (description: string) => Type.Integer({ minimum: 0, maximum: 100, description });
const word = (description: string) => Type.String({ maxLength: TAG_LENGTH_MAX, description });

const attributes = {
  severity: Type.Integer({
    minimum: 0,
    maximum: 5,
    description: '0 (informational) to 5 (worst).',
  }),
  confidence: percent('How sure the source is.'),
  risk: percent('How much harm is expected.'),
  danger: Type.Enum([...DANGER_LEVELS]),
  iocType: word('For example domain, ip, mixed.'),
  threatType: word('For example phishing, malware, botnet, scanner.'),
  trafficType: Type.Enum([...TRAFFIC_TYPES], { description: 'Empty when unknown.' }),
  tags: Type.Array(Type.String({ minLength: 1, maxLength: TAG_LENGTH_MAX }), {
    maxItems: TAGS_MAX,
  }),
};

const PartnerSchema = Type.Boolean({
  description: 'A marketplace target, which an account uses with an entitlement only.',
});

export const AttributesSchema = Type.Object(attributes);

export const TargetSchema = Type.Object({
  id: IdSchema,
  name: NameSchema,
  description: DescriptionSchema,
  attributes: AttributesSchema,
  supportsAllow: Type.Boolean({
    description: 'Whether policies may attach it with the action allow.',
  }),
  partner: PartnerSchema,
  entitled: Type.Boolean({ description: 'Whether your account may use it.' }),
  origin: Type.Enum(['built-in', 'sample', 'custom']),
  size: Type.Integer({ description: 'Indicators that it holds.' }),
  ...Times,
});

const writable = {
  description: Type.Optional(DescriptionSchema),
  attributes: Type.Optional(Type.Partial(Type.Object(attributes), { additionalProperties: false })),
  supportsAllow: Type.Optional(Type.Boolean()),
  partner: Type.Optional(PartnerSchema),
};

const example = {
  name: 'Phishing kits',
  description: 'Landing pages that the mail team saw',
  attributes: { severity: 4, confidence: 80, threatType: 'phishing', tags: ['mail'] },
};

export const NewTargetSchema = Type.Object(
  { name: NameSchema, ...writable },
  { additionalProperties: false, examples: [example] },
);
export const TargetPatchSchema = Type.Object(
  { name: Type.Optional(NameSchema), ...writable },
  { additionalProperties: false, examples: [{ attributes: { severity: 5 } }] },
);

/** Who looks at targets: what an account may use of them differs. */
export interface TargetViewer {
  readonly model: Pick<Model, 'entitlements'>;
  readonly accountId: AccountId;
}

/** Whether the account may use the target: anybody any but those of partners. */
export function isEntitled(target: Target, { model, accountId }: TargetViewer): boolean {
  return !target.partner || entitledOf(model, accountId).has(target.id);
}

export function targetView(target: Target, viewer: TargetViewer): Static<typeof TargetSchema> {
  const { id, name, description, supportsAllow, partner, origin } = target;
  return {
    id,
    name,
    description,
    attributes: attributesView(target.attributes),
    supportsAllow,
    partner,
    entitled: isEntitled(target, viewer),
    origin,
    size: memberCount(target.members),
    ...timesView(target),
  };
}

export function attributesView(attributes: TargetAttributes): Static<typeof AttributesSchema> {
  const { severity, confidence, risk, danger, iocType, threatType, tags } = attributes;
  const trafficType = TRAFFIC_TYPES.find((type) => type === attributes.trafficType) ?? '';
  return {
    severity,
    confidence,
    risk,
    danger,
    iocType,
    threatType,
    trafficType,
    tags: [...tags],
  };
}
