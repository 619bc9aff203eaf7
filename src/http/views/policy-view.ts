import { type Static, Type } from 'typebox';
import { capacityWarnings, type PolicySize } from '../../policy/device-profiles.ts';
import type { Attachment, Device, Model, Policy, Target } from '../../policy/model.ts';
import type { EditSettings } from '../../publish/edits/index.ts';
import {
  ATTACHMENT_KINDS,
  ATTACHMENTS_MAX,
  EXCLUSIONS_MAX,
  HOSTS_MAX,
  POLICY_TYPES,
  TTL_MAX,
  tcpOnlyNameServerMembers,
} from '../../publish/edits/index.ts';
import { EMPTY_SIZE } from '../../publish/policy-size.ts';
import type { ZoneSummary } from '../../publish/publisher.ts';
import { ActionChoiceSchema, ActionChoiceViewSchema, actionChoiceView } from './action-view.ts';
import {
  CountSchema,
  countView,
  IdSchema,
  isoTime,
  NamedSchema,
  nullable,
  Times,
  timesView,
} from './common.ts';
import { devicesOfPolicy, heldTargets, partnersOf } from './model-index.ts';
import { DescriptionSchema } from './target-view.ts';
import { ZoneSchema, zoneView } from './zone-view.ts';

const PolicyNameSchema = Type.String({
  description: '1 to 8 letters and digits, compared without case: a label of the zone names.',
  examples: ['corp'],
});
const TtlSchema = Type.Integer({
  minimum: 0,
  maximum: TTL_MAX,
  description: 'TTL of every rule record, in seconds.',
});
const HostsMaxSchema = nullable(
  Type.Integer({
    minimum: 1,
    maximum: HOSTS_MAX,
    description: 'IP policies: publish up to this many single addresses as A and AAAA records too.',
  }),
);
const SidesSchema = Type.Object({
  addresses4: CountSchema,
  addresses6: CountSchema,
});

const AttachmentSchema = Type.Object({
  kind: Type.Enum([...ATTACHMENT_KINDS]),
  id: IdSchema,
  name: Type.String(),
  action: ActionChoiceViewSchema,
});

const CountsSchema = Type.Object({
  records: Type.Integer({
    description: 'Resource records of its zones, those of former names left out.',
  }),
  block: nullable(SidesSchema),
  allow: nullable(SidesSchema),
});

const always = {
  id: IdSchema,
  name: PolicyNameSchema,
  type: Type.Enum([...POLICY_TYPES]),
  description: DescriptionSchema,
  predefined: Type.Boolean({ description: 'Ours: read-only, and visible to every account.' }),
  ttl: TtlSchema,
  defaultAction: ActionChoiceViewSchema,
  counts: CountsSchema,
};

/** A policy in a list: its attachments, zones and devices only counted. */
export const PolicySummarySchema = Type.Object({
  ...always,
  attachmentCount: Type.Integer(),
  deviceCount: Type.Integer({ description: 'Devices of your account that pull it.' }),
  rolledBack: Type.Boolean(),
  ...Times,
});

export const PolicySchema = Type.Object({
  ...always,
  hostsMax: HostsMaxSchema,
  attachments: Type.Array(AttachmentSchema),
  excludedTargets: Type.Array(NamedSchema),
  zones: Type.Array(ZoneSchema),
  formerNames: Type.Array(
    Type.Object({
      name: PolicyNameSchema,
      until: Type.String({ format: 'date-time' }),
      zones: Type.Array(Type.String(), { description: 'They answer until then.' }),
    }),
    { description: 'Names that it had before it was renamed.' },
  ),
  rollback: nullable(
    Type.Object(
      {
        at: Type.String({ format: 'date-time' }),
        serials: Type.Record(Type.String(), Type.Integer()),
      },
      { description: 'Its zones keep the content that they had at these serials.' },
    ),
  ),
  devices: Type.Array(NamedSchema, { description: 'Devices of your account that pull it.' }),
  warnings: Type.Array(Type.String()),
  ...Times,
});

const NewAttachmentSchema = Type.Object(
  {
    kind: Type.Enum([...ATTACHMENT_KINDS]),
    id: IdSchema,
    action: Type.Optional(ActionChoiceSchema),
  },
  {
    additionalProperties: false,
    examples: [{ kind: 'bundle', id: 1, action: { kind: 'nxdomain' } }],
  },
);
/** A bundle can also be attached as the targets that it holds now. */
export const AttachSchema = Type.Object(
  {
    ...NewAttachmentSchema.properties,
    asTargets: Type.Optional(
      Type.Boolean({
        description:
          'Only bundle: attach the targets that it holds now, each by itself, and do not follow the bundle. Those that cannot be attached are left out and reported.',
      }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ kind: 'bundle', id: 1, action: { kind: 'nxdomain' } }],
  },
);
/** What came of a bundle that was attached as targets. */
export const SnapshotSchema = Type.Object({
  attached: Type.Array(NamedSchema),
  attachedAlready: Type.Array(NamedSchema, { description: 'They stay as they were.' }),
  leftOut: Type.Array(
    Type.Object({
      id: IdSchema,
      name: Type.String(),
      reason: Type.String({ description: 'A code.' }),
      rule: Type.String({ description: 'The rule as a sentence.' }),
    }),
  ),
});
export const ActionChangeSchema = Type.Object(
  { action: ActionChoiceSchema },
  {
    additionalProperties: false,
    examples: [{ action: { kind: 'redirect', to: 'garden.example.' } }],
  },
);

const writable = {
  description: Type.Optional(DescriptionSchema),
  ttl: Type.Optional(TtlSchema),
  defaultAction: Type.Optional(ActionChoiceSchema),
  hostsMax: Type.Optional(HostsMaxSchema),
  attachments: Type.Optional(Type.Array(NewAttachmentSchema, { maxItems: ATTACHMENTS_MAX })),
  excludedTargets: Type.Optional(Type.Array(IdSchema, { maxItems: EXCLUSIONS_MAX })),
};
export const NewPolicySchema = Type.Object(
  { name: PolicyNameSchema, type: Type.Enum([...POLICY_TYPES]), ...writable },
  {
    additionalProperties: false,
    examples: [{ name: 'corp', type: 'dns', description: 'For the offices' }],
  },
);
export const PolicyPatchSchema = Type.Object(
  { name: Type.Optional(PolicyNameSchema), type: Type.Optional(Type.String()), ...writable },
  { additionalProperties: false, examples: [{ ttl: 300 }] },
);
export const DuplicateSchema = Type.Object(
  {
    name: PolicyNameSchema,
    description: Type.Optional(DescriptionSchema),
    leaveOutPartners: Type.Optional(
      Type.Boolean({
        description:
          'Leave out partner targets to which your account has no entitlement, instead of refusing.',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ name: 'corp2' }] },
);

/** What a view of policies is made from. */
export interface PolicyViewSource {
  readonly model: Model;
  readonly accountId: Policy['accountId'];
  readonly zonesByPolicy: ReadonlyMap<number, readonly ZoneSummary[]>;
  readonly memberKinds: EditSettings['memberKinds'];
  /** What devices have to take when they pull a policy. */
  readonly sizes: ReadonlyMap<Policy['id'], PolicySize>;
}

export function policyView(policy: Policy, source: PolicyViewSource): Static<typeof PolicySchema> {
  const { model } = source;
  const zones = zonesOf(policy, source);
  return {
    ...alwaysView(policy, source),
    hostsMax: policy.hostsMax,
    attachments: policy.attachments.map((attachment) => attachmentView(attachment, model)),
    excludedTargets: policy.excludedTargets.map((id) => ({
      id,
      name: model.targets.get(id)?.name ?? '',
    })),
    zones: zones.filter(({ former }) => !former).map(zoneView),
    formerNames: policy.formerNames.map(({ name, until }) => ({
      name,
      until: isoTime(until),
      zones: zones
        .filter(({ former, origin }) => former && origin.split('.')[1] === name)
        .map(({ origin }) => origin),
    })),
    rollback:
      policy.rollback === null
        ? null
        : { at: isoTime(policy.rollback.at), serials: { ...policy.rollback.serials } },
    devices: devicesOf(policy, source).map(({ id, name }) => ({ id, name })),
    warnings: warningsOf(policy, source),
    ...timesView(policy),
  };
}

export function policySummaryView(
  policy: Policy,
  source: PolicyViewSource,
): Static<typeof PolicySummarySchema> {
  return {
    ...alwaysView(policy, source),
    attachmentCount: policy.attachments.length,
    deviceCount: devicesOf(policy, source).length,
    rolledBack: policy.rollback !== null,
    ...timesView(policy),
  };
}

/** The devices of the account that looks that pull the policy. */
export function devicesOf(
  policy: Policy,
  { model, accountId }: Pick<PolicyViewSource, 'model' | 'accountId'>,
): readonly Device[] {
  return devicesOfPolicy(model, policy.id).filter((device) => device.accountId === accountId);
}

/** Figures of the zones that a policy has under its own name; IP zones by side, null for others. */
export interface PolicyFigures {
  readonly records: number;
  readonly block: ZoneAddresses | null;
  readonly allow: ZoneAddresses | null;
}
interface ZoneAddresses {
  readonly addresses4: bigint;
  readonly addresses6: bigint;
}

export function figuresOf(policy: Policy, source: PolicyViewSource): PolicyFigures {
  const zones = zonesOf(policy, source).filter(({ former }) => !former);
  const sideOf = (side: ZoneSummary['side']): ZoneAddresses | null => {
    const zone = zones.find((candidate) => candidate.side === side);
    if (zone === undefined) return null;
    return { addresses4: zone.addresses4 ?? 0n, addresses6: zone.addresses6 ?? 0n };
  };
  const records = zones.reduce((sum, zone) => sum + zone.records, 0);
  return { records, block: sideOf('block'), allow: sideOf('allow') };
}

function zonesOf(policy: Policy, source: PolicyViewSource): readonly ZoneSummary[] {
  return source.zonesByPolicy.get(policy.id) ?? [];
}

function alwaysView(policy: Policy, source: PolicyViewSource) {
  const { id, name, type, description, predefined, ttl } = policy;
  return {
    id,
    name,
    type,
    description,
    predefined,
    ttl,
    defaultAction: actionChoiceView(policy.defaultAction, source.model),
    counts: countsView(figuresOf(policy, source)),
  };
}

function attachmentView(attachment: Attachment, model: Model): Static<typeof AttachmentSchema> {
  const { kind, id } = attachment;
  const held = {
    target: () => model.targets.get(id as never),
    bundle: () => model.bundles.get(id as never),
    list: () => model.lists.get(id as never),
  }[kind]();
  return { kind, id, name: held?.name ?? '', action: actionChoiceView(attachment.action, model) };
}

function countsView({ records, block, allow }: PolicyFigures): Static<typeof CountsSchema> {
  const sideView = (side: ZoneAddresses | null): Static<typeof SidesSchema> | null =>
    side && { addresses4: countView(side.addresses4), addresses6: countView(side.addresses6) };
  return { records, block: sideView(block), allow: sideView(allow) };
}

function warningsOf(policy: Policy, source: PolicyViewSource): string[] {
  const names = tcpOnlyNameServerMembers(policy, source.model, source.memberKinds);
  const tcpOnly = names.map(
    (name) =>
      `"${name}" acts TCP-only by nsname or nsip here, on which Unbound 1.17.1 crashes; give it to other resolvers only.`,
  );
  const attached = policy.attachments.flatMap((attachment) =>
    warningsOfAttachment(attachment, policy, source.model),
  );
  const size = source.sizes.get(policy.id) ?? EMPTY_SIZE;
  return [...tcpOnly, ...attached, ...capacityWarnings(policy, devicesOf(policy, source), size)];
}

/** What is attached and counts for nothing, or for less than it seems. */
function warningsOfAttachment(attachment: Attachment, policy: Policy, model: Model): string[] {
  const usable = partnersOf(model, policy);
  if (attachment.kind === 'target') {
    const target = model.targets.get(attachment.id);
    if (!target?.partner || usable.has(target.id)) return [];
    const why = policy.predefined
      ? 'predefined policies are for accounts without an entitlement, too'
      : 'there is no entitlement to it';
    return [`Target "${target.name}" comes from a partner and ${why}: it counts for nothing here.`];
  }
  const bundle = attachment.kind === 'bundle' ? model.bundles.get(attachment.id) : undefined;
  if (bundle === undefined) return [];
  const held = heldTargets(model, bundle);
  const partners = held.filter(({ id, partner }) => partner && !usable.has(id));
  const whyPartners = policy.predefined
    ? 'come from partners, which predefined policies leave out,'
    : 'come from partners without an entitlement';
  const blockOnly =
    attachment.action.kind === 'allow' ? held.filter(({ supportsAllow }) => !supportsAllow) : [];
  return [
    ...warningOfBundle(bundle.name, partners, whyPartners),
    ...warningOfBundle(bundle.name, blockOnly, 'do not support allow'),
  ];
}

/** Names in one warning. */
const NAMES_SHOWN_MAX = 10;

function warningOfBundle(name: string, targets: readonly Target[], why: string): string[] {
  if (targets.length === 0) return [];
  const names = targets.slice(0, NAMES_SHOWN_MAX).map((target) => `"${target.name}"`);
  const more = targets.length > names.length ? ` and ${targets.length - names.length} more` : '';
  return [
    `Bundle "${name}" holds targets that ${why} and count for nothing here: ${names.join(', ')}${more}.`,
  ];
}
