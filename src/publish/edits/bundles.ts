import { bundleHolds } from '../../policy/bundle.ts';
import {
  type Bundle,
  type BundleFilter,
  DANGER_LEVELS,
  type Model,
  type Target,
} from '../../policy/model.ts';
import {
  type Edit,
  findBundle,
  holderOfName,
  policyTitle,
  refuse,
  refuseUnlessOperator,
  viewerOf,
} from './edit.ts';
import { type Fields, openFields } from './fields.ts';
import { DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX, TAG_LENGTH_MAX, TAGS_MAX } from './targets.ts';
import { refuseTcpOnlyForUnbound } from './tcp-only-guard.ts';

/** Makes a bundle. Input: `name`, and optionally `description` and `filter`; an empty filter holds every target. */
export function createBundle(edit: Edit, input: unknown): Bundle {
  refuseUnlessOperator(edit);
  const fields = readBundle(edit, input, null);
  const bundle: Bundle = {
    ...fields,
    id: edit.draft.nextId('bundle'),
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  edit.draft.put('bundle', bundle);
  return bundle;
}

/** Changes the given fields; a given filter replaces the whole filter. */
export function updateBundle(edit: Edit, id: number, input: unknown): Bundle {
  const bundle = findBundle(viewerOf(edit), id);
  refuseUnlessOperator(edit);
  const updated: Bundle = {
    ...bundle,
    ...readBundle(edit, input, bundle),
    updatedAt: edit.draft.now,
  };
  edit.draft.put('bundle', updated);
  refuseTcpOnlyForUnbound(edit);
  return updated;
}

export function deleteBundle(edit: Edit, id: number): Bundle {
  const bundle = findBundle(viewerOf(edit), id);
  refuseUnlessOperator(edit);
  const users = [...edit.draft.model.policies.values()]
    .filter(({ attachments }) => attachments.some((a) => a.kind === 'bundle' && a.id === bundle.id))
    .map((policy) => policyTitle(edit, policy));
  if (users.length > 0) {
    throw refuse('still-in-use', 'bundle id', id, `Detach it first from ${users.join(', ')}.`);
  }
  edit.draft.delete('bundle', bundle.id);
  return bundle;
}

/** The targets that the bundle holds now, in the order of their ids. */
export function targetsOfBundle(
  { filter }: Pick<Bundle, 'filter'>,
  { targets }: Pick<Model, 'targets'>,
): readonly Target[] {
  return [...targets.values()].filter((target) => bundleHolds(filter, target));
}

function readBundle(
  edit: Edit,
  input: unknown,
  current: Bundle | null,
): Pick<Bundle, 'name' | 'description' | 'filter'> {
  const fields = openFields(input);
  const nameRule = { min: 1, max: NAME_LENGTH_MAX };
  const name = fields.text('name', current ? { ...nameRule, otherwise: current.name } : nameRule);
  const holder = holderOfName(edit, 'bundle', name, { ownId: current?.id ?? null });
  if (holder !== undefined) {
    fields.refuse('name-taken', 'name', `Bundle ${holder.id} has this name.`);
  }
  const description = fields.text('description', {
    max: DESCRIPTION_LENGTH_MAX,
    otherwise: current?.description ?? '',
  });
  const filter =
    current !== null && !fields.has('filter')
      ? current.filter
      : readFilter(fields.inside('filter'));
  fields.close();
  return { name, description, filter };
}

const SCALE_MAX = { severityMin: 5, severityMax: 5, confidenceMin: 100, riskMin: 100 } as const;
const ANY_OF = ['iocType', 'threatType', 'trafficType', 'tags'] as const;

/** Conditions that are not given are left out: they hold for every target. */
function readFilter(fields: Fields): BundleFilter {
  const filter: { -readonly [Key in keyof BundleFilter]: BundleFilter[Key] } = {};
  for (const key of ['severityMin', 'severityMax', 'confidenceMin', 'riskMin'] as const) {
    if (fields.has(key)) filter[key] = fields.integer(key, { min: 0, max: SCALE_MAX[key] });
  }
  for (const key of ANY_OF) {
    if (!fields.has(key)) continue;
    const values = fields.texts(key, { itemsMax: TAGS_MAX, lengthMax: TAG_LENGTH_MAX });
    filter[key] = values.map((value) => value.toLowerCase());
  }
  if (fields.has('danger')) {
    filter.danger = fields
      .items('danger', { itemsMax: DANGER_LEVELS.length })
      .flatMap((value) => readDanger(fields, value));
  }
  if (fields.has('partner')) filter.partner = fields.flag('partner', {});
  if ((filter.severityMin ?? 0) > (filter.severityMax ?? 5)) {
    fields.refuse('invalid-value', 'severityMin', 'severityMin is at most severityMax.');
  }
  for (const key of [...ANY_OF, 'danger'] as const) {
    if (filter[key]?.length === 0 && fields.clean()) {
      fields.refuse(
        'invalid-value',
        key,
        'An empty list would match nothing; leave the condition out.',
      );
    }
  }
  return filter;
}

function readDanger(fields: Fields, value: unknown): (typeof DANGER_LEVELS)[number][] {
  const level = DANGER_LEVELS.find((candidate) => candidate === value);
  if (level !== undefined) return [level];
  fields.refuse('invalid-value', 'danger', `Each item is one of ${DANGER_LEVELS.join(', ')}.`);
  return [];
}
