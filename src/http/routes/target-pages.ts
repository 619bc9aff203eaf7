import { type Static, Type } from 'typebox';
import { memberCount } from '../../policy/member-sets.ts';
import { DANGER_LEVELS, type Target } from '../../policy/model.ts';
import { TAG_LENGTH_MAX, TAGS_MAX, TRAFFIC_TYPES, type Viewer } from '../../publish/edits/index.ts';
import { type Columns, listQuery, type Page, pageOf } from '../page.ts';
import { memberTargets } from '../views/model-index.ts';
import { isEntitled, type TargetSchema, targetView } from '../views/target-view.ts';
import { InPolicyQuery, inPolicyFilter } from './in-policy.ts';

const COLUMNS = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  description: ({ description }) => description,
  severity: ({ attributes }) => attributes.severity,
  confidence: ({ attributes }) => attributes.confidence,
  risk: ({ attributes }) => attributes.risk,
  danger: ({ attributes }) => DANGER_LEVELS.indexOf(attributes.danger),
  iocType: ({ attributes }) => attributes.iocType,
  threatType: ({ attributes }) => attributes.threatType,
  trafficType: ({ attributes }) => attributes.trafficType,
  tags: ({ attributes }) => attributes.tags.toSorted().join(' '),
  supportsAllow: ({ supportsAllow }) => Number(supportsAllow),
  partner: ({ partner }) => Number(partner),
  origin: ({ origin }) => origin,
  size: ({ members }) => memberCount(members),
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
} as const satisfies Columns<Target>;

const bound = (maximum: number) => Type.Optional(Type.Integer({ minimum: 0, maximum }));
const anyWord = Type.Optional(
  Type.Array(Type.String({ maxLength: TAG_LENGTH_MAX }), {
    maxItems: TAGS_MAX,
    description: 'Any of these, whatever the case; given once for each.',
  }),
);

/** Query fields of every list of targets. */
export const TargetsQuery = Type.Object(
  {
    ...listQuery([...Object.keys(COLUMNS), 'entitled']),
    severityMin: bound(5),
    severityMax: bound(5),
    confidenceMin: bound(100),
    confidenceMax: bound(100),
    riskMin: bound(100),
    riskMax: bound(100),
    danger: Type.Optional(Type.Array(Type.Enum([...DANGER_LEVELS]), { maxItems: 5 })),
    iocType: anyWord,
    threatType: anyWord,
    trafficType: Type.Optional(Type.Array(Type.Enum([...TRAFFIC_TYPES]), { maxItems: 4 })),
    tags: anyWord,
    supportsAllow: Type.Optional(Type.Boolean()),
    partner: Type.Optional(Type.Boolean()),
    entitled: Type.Optional(Type.Boolean({ description: 'Whether your account may use it.' })),
    origin: Type.Optional(Type.Enum(['built-in', 'sample', 'custom'])),
    sizeMin: Type.Optional(Type.Integer({ minimum: 0 })),
    sizeMax: Type.Optional(Type.Integer({ minimum: 0 })),
    ...InPolicyQuery,
  },
  { additionalProperties: false },
);
type TargetsQuery = Static<typeof TargetsQuery>;

/** The page of targets that a query asks for. */
export function targetPage(
  targets: Iterable<Target>,
  query: TargetsQuery,
  viewer: Viewer,
): Page<Static<typeof TargetSchema>> {
  const { model } = viewer;
  const isWanted = inPolicyFilter(viewer, query, (policy) => memberTargets(policy, model));
  const found = [...targets].filter(
    (target) => matches(target, query, viewer) && isWanted(target.id),
  );
  return pageOf(found, query, {
    columns: { ...COLUMNS, entitled: (target) => Number(isEntitled(target, viewer)) },
    searched: ({ name, description }) => [name, description],
    view: (target) => targetView(target, viewer),
  });
}

function matches(target: Target, query: TargetsQuery, viewer: Viewer): boolean {
  const { attributes } = target;
  return (
    isWithin(attributes.severity, query.severityMin, query.severityMax) &&
    isWithin(attributes.confidence, query.confidenceMin, query.confidenceMax) &&
    isWithin(attributes.risk, query.riskMin, query.riskMax) &&
    isWithin(memberCount(target.members), query.sizeMin, query.sizeMax) &&
    isAnyOf(attributes.danger, query.danger) &&
    isAnyOf(attributes.iocType, query.iocType) &&
    isAnyOf(attributes.threatType, query.threatType) &&
    isAnyOf(attributes.trafficType, query.trafficType) &&
    (query.tags === undefined || attributes.tags.some((tag) => isAnyOf(tag, query.tags))) &&
    isAsked(target.supportsAllow, query.supportsAllow) &&
    isAsked(target.partner, query.partner) &&
    isAsked(target.origin, query.origin) &&
    (query.entitled === undefined || isEntitled(target, viewer) === query.entitled)
  );
}

function isWithin(value: number, least = 0, most = Number.POSITIVE_INFINITY): boolean {
  return value >= least && value <= most;
}

function isAsked<Value>(value: Value, wanted: Value | undefined): boolean {
  return wanted === undefined || value === wanted;
}

function isAnyOf(value: string, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || wanted.some((word) => word.toLowerCase() === value);
}
