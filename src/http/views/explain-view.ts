import { type Static, Type } from 'typebox';
import { INDICATOR_KINDS } from '../../indicators/indicator.ts';
import { TIERS } from '../../policy/members.ts';
import type { Explanation } from '../../publish/publisher.ts';
import { ActionSchema, actionView } from './action-view.ts';
import { IdSchema, isoTime, NamedSchema, nullable } from './common.ts';
import { SerialSchema } from './zone-view.ts';

export const TRIGGERS = ['qname', 'ip', 'nsdname', 'nsip', 'client-ip'] as const;

export const ExplanationSchema = Type.Object({
  query: Type.String({ description: 'The name or address as it was understood.' }),
  trigger: Type.Enum([...TRIGGERS]),
  policy: nullable(NamedSchema),
  zone: Type.String({ description: 'The zone that was read.' }),
  serial: SerialSchema,
  rolledBack: Type.Boolean({
    description:
      'Whether the zone keeps an earlier content at this serial: the verdict is of that content, the covers are of the members.',
  }),
  verdict: nullable(ActionSchema),
  covers: Type.Array(
    Type.Object({
      indicator: Type.String({ examples: ['*.evil.example'] }),
      kind: Type.Enum([...INDICATOR_KINDS]),
      source: Type.Object({
        kind: Type.Enum(['target', 'list']),
        id: IdSchema,
        name: Type.String(),
      }),
      comment: nullable(
        Type.String({ description: 'Of the entry that stands for it; null for targets.' }),
      ),
      expiresAt: nullable(Type.String({ format: 'date-time' })),
      viaBundles: Type.Array(Type.String(), {
        description: 'Bundles that brought the target; empty when it is attached directly.',
      }),
      tier: Type.Enum([...TIERS]),
      severity: Type.Integer(),
      action: ActionSchema,
      firstSeen: Type.String({ format: 'date-time' }),
      lastSeen: Type.String({
        format: 'date-time',
        description: 'When it was last named, or the whole source was last told and held it.',
      }),
      heldThen: Type.Boolean({ description: 'Whether its target or list held it at the serial.' }),
      heldNow: Type.Boolean({ description: 'Whether its target or list holds it now.' }),
      decides: Type.Boolean({ description: 'Whether the verdict follows from it.' }),
    }),
    {
      description:
        'Every indicator of the present members that covers it now or did at the serial, the stronger first.',
    },
  ),
});

export function explanationView(explanation: Explanation): Static<typeof ExplanationSchema> {
  const { query, trigger, policy, zone, serial, rolledBack, verdict } = explanation;
  return {
    query,
    trigger,
    policy: policy === null ? null : { id: policy.id, name: policy.name },
    zone,
    serial,
    rolledBack,
    verdict: verdict === null ? null : actionView(verdict),
    covers: explanation.covers.map((cover) => ({
      indicator: cover.indicator,
      kind: cover.kind,
      source: { kind: cover.source.kind, id: cover.source.id, name: cover.source.name },
      comment: cover.comment,
      expiresAt: cover.expiresAt === null ? null : isoTime(cover.expiresAt),
      viaBundles: [...cover.viaBundles],
      tier: cover.tier,
      severity: cover.severity,
      action: actionView(cover.action),
      firstSeen: isoTime(cover.firstSeen),
      lastSeen: isoTime(cover.lastSeen),
      heldThen: cover.heldThen,
      heldNow: cover.heldNow,
      decides: cover.decides,
    })),
  };
}
