import { type Static, Type } from 'typebox';
import { type Bundle, type BundleFilter, DANGER_LEVELS, type Target } from '../../policy/model.ts';
import { TAG_LENGTH_MAX, TAGS_MAX } from '../../publish/edits/index.ts';
import { IdSchema, NamedSchema, Times, timesView } from './common.ts';
import { DescriptionSchema, NameSchema } from './target-view.ts';

const bound = (maximum: number) => Type.Optional(Type.Integer({ minimum: 0, maximum }));
const anyOf = Type.Optional(
  Type.Array(Type.String({ minLength: 1, maxLength: TAG_LENGTH_MAX }), {
    minItems: 1,
    maxItems: TAGS_MAX,
  }),
);

const FilterSchema = Type.Object(
  {
    severityMin: bound(5),
    severityMax: bound(5),
    confidenceMin: bound(100),
    riskMin: bound(100),
    danger: Type.Optional(Type.Array(Type.Enum([...DANGER_LEVELS]), { minItems: 1, maxItems: 5 })),
    iocType: anyOf,
    threatType: anyOf,
    trafficType: anyOf,
    tags: anyOf,
    partner: Type.Optional(Type.Boolean()),
  },
  {
    additionalProperties: false,
    description: 'Every given condition must hold; a list means any of its values.',
  },
);

const bundle = {
  id: IdSchema,
  name: NameSchema,
  description: DescriptionSchema,
  filter: FilterSchema,
  targetCount: Type.Integer({ description: 'Targets that it holds now.' }),
  ...Times,
};
export const BundleSchema = Type.Object(bundle);
/** Names in the view of one bundle; the pages of its targets have all of them. */
const TARGETS_SHOWN_MAX = 1_000;
export const BundleWithTargetsSchema = Type.Object({
  ...bundle,
  targets: Type.Array(NamedSchema, {
    maxItems: TARGETS_SHOWN_MAX,
    description: `The first ${TARGETS_SHOWN_MAX} targets that it holds now.`,
  }),
});

const example = { name: 'Severe phishing', filter: { severityMin: 4, threatType: ['phishing'] } };

export const NewBundleSchema = Type.Object(
  {
    name: NameSchema,
    description: Type.Optional(DescriptionSchema),
    filter: Type.Optional(FilterSchema),
  },
  { additionalProperties: false, examples: [example] },
);
export const BundlePatchSchema = Type.Object(
  {
    name: Type.Optional(NameSchema),
    description: Type.Optional(DescriptionSchema),
    filter: Type.Optional(FilterSchema),
  },
  { additionalProperties: false, examples: [{ filter: { severityMin: 3 } }] },
);

export function bundleView(
  bundle: Bundle,
  targets: readonly Target[],
): Static<typeof BundleSchema> {
  const { id, name, description } = bundle;
  const filter = filterView(bundle.filter);
  return { id, name, description, filter, targetCount: targets.length, ...timesView(bundle) };
}

export function bundleWithTargetsView(
  bundle: Bundle,
  targets: readonly Target[],
): Static<typeof BundleWithTargetsSchema> {
  const named = targets.slice(0, TARGETS_SHOWN_MAX).map(({ id, name }) => ({ id, name }));
  return { ...bundleView(bundle, targets), targets: named };
}

/** The same with lists of its own, as the schema's type wants them. */
function filterView(filter: BundleFilter): Static<typeof FilterSchema> {
  return structuredClone(filter) as Static<typeof FilterSchema>;
}
