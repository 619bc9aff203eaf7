import { type Static, Type } from 'typebox';
import type { Attachment, Model, Policy } from '../../policy/model.ts';
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
import type { ZoneSummary } from '../../publish/publisher.ts';
import { ActionSchema, actionView } from './action-view.ts';
import {
  CountSchema,
  countView,
  IdSchema,
  NamedSchema,
  nullable,
  Times,
  timesView,
} from './common.ts';
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
  action: ActionSchema,
});

export const PolicySchema = Type.Object({
  id: IdSchema,
  name: PolicyNameSchema,
  type: Type.Enum([...POLICY_TYPES]),
  description: DescriptionSchema,
  predefined: Type.Boolean({ description: 'Ours: read-only, and visible to every account.' }),
  ttl: TtlSchema,
  defaultAction: ActionSchema,
  hostsMax: HostsMaxSchema,
  attachments: Type.Array(AttachmentSchema),
  excludedTargets: Type.Array(NamedSchema),
  counts: Type.Object({
    records: Type.Integer({ description: 'Resource records of all its zones.' }),
    block: nullable(SidesSchema),
    allow: nullable(SidesSchema),
  }),
  zones: Type.Array(ZoneSchema),
  devices: Type.Array(NamedSchema, { description: 'Devices of your account that pull it.' }),
  warnings: Type.Array(Type.String()),
  ...Times,
});

export const NewAttachmentSchema = Type.Object(
  {
    kind: Type.Enum([...ATTACHMENT_KINDS]),
    id: IdSchema,
    action: Type.Optional(ActionSchema),
  },
  {
    additionalProperties: false,
    examples: [{ kind: 'bundle', id: 1, action: { kind: 'nxdomain' } }],
  },
);
export const ActionChangeSchema = Type.Object(
  { action: ActionSchema },
  {
    additionalProperties: false,
    examples: [{ action: { kind: 'redirect', to: 'garden.example.' } }],
  },
);

const writable = {
  description: Type.Optional(DescriptionSchema),
  ttl: Type.Optional(TtlSchema),
  defaultAction: Type.Optional(ActionSchema),
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
  { name: PolicyNameSchema, description: Type.Optional(DescriptionSchema) },
  { additionalProperties: false, examples: [{ name: 'corp2' }] },
);

/** What a view of policies is made from. */
export interface PolicyViewSource {
  readonly model: Model;
  readonly accountId: Policy['accountId'];
  readonly zonesByPolicy: ReadonlyMap<number, readonly ZoneSummary[]>;
  readonly memberKinds: EditSettings['memberKinds'];
}

export function policyView(policy: Policy, source: PolicyViewSource): Static<typeof PolicySchema> {
  const { model } = source;
  const zones = source.zonesByPolicy.get(policy.id) ?? [];
  const { id, name, type, description, predefined, ttl, hostsMax } = policy;
  return {
    id,
    name,
    type,
    description,
    predefined,
    ttl,
    defaultAction: actionView(policy.defaultAction),
    hostsMax,
    attachments: policy.attachments.map((attachment) => attachmentView(attachment, model)),
    excludedTargets: policy.excludedTargets.map((id) => ({
      id,
      name: model.targets.get(id)?.name ?? '',
    })),
    counts: countsView(zones),
    zones: zones.map(zoneView),
    devices: [...model.devices.values()]
      .filter((device) => device.policyId === id && device.accountId === source.accountId)
      .map((device) => ({ id: device.id, name: device.name })),
    warnings: warningsOf(policy, source),
    ...timesView(policy),
  };
}

export function recordsOfZones(zones: readonly ZoneSummary[]): number {
  return zones.reduce((sum, { records }) => sum + records, 0);
}

function attachmentView(attachment: Attachment, model: Model): Static<typeof AttachmentSchema> {
  const { kind, id } = attachment;
  const held = {
    target: () => model.targets.get(id as never),
    bundle: () => model.bundles.get(id as never),
    list: () => model.lists.get(id as never),
  }[kind]();
  return { kind, id, name: held?.name ?? '', action: actionView(attachment.action) };
}

function countsView(zones: readonly ZoneSummary[]): Static<typeof PolicySchema>['counts'] {
  const sideOf = (side: ZoneSummary['side']): Static<typeof SidesSchema> | null => {
    const zone = zones.find((candidate) => candidate.side === side);
    if (zone === undefined) return null;
    return {
      addresses4: countView(zone.addresses4 ?? 0),
      addresses6: countView(zone.addresses6 ?? 0),
    };
  };
  return { records: recordsOfZones(zones), block: sideOf('block'), allow: sideOf('allow') };
}

function warningsOf(policy: Policy, source: PolicyViewSource): string[] {
  const names = tcpOnlyNameServerMembers(policy, source.model, source.memberKinds);
  return names.map(
    (name) =>
      `"${name}" acts TCP-only by nsname or nsip here, on which Unbound 1.17.1 crashes; give it to other resolvers only.`,
  );
}
