import { type Static, Type } from 'typebox';
import { INDICATOR_KINDS } from '../../indicators/indicator.ts';
import { TIERS } from '../../policy/members.ts';
import type { Explanation } from '../../publish/publisher.ts';
import { ActionSchema, actionView } from './action-view.ts';
import { IdSchema, nullable } from './common.ts';

export const TRIGGERS = ['qname', 'ip', 'nsdname', 'nsip', 'client-ip'] as const;

export const ExplanationSchema = Type.Object({
  query: Type.String({ description: 'The name or address as it was understood.' }),
  trigger: Type.Enum([...TRIGGERS]),
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
      viaBundles: Type.Array(Type.String(), {
        description: 'Bundles that brought the target; empty when it is attached directly.',
      }),
      tier: Type.Enum([...TIERS]),
      severity: Type.Integer(),
      action: ActionSchema,
      decides: Type.Boolean(),
    }),
    { description: 'Every indicator that covers it, the deciding one first.' },
  ),
});

export function explanationView(explanation: Explanation): Static<typeof ExplanationSchema> {
  const { query, trigger, verdict } = explanation;
  return {
    query,
    trigger,
    verdict: verdict === null ? null : actionView(verdict),
    covers: explanation.covers.map((cover) => ({
      indicator: cover.indicator,
      kind: cover.kind,
      source: { kind: cover.source.kind, id: cover.source.id, name: cover.source.name },
      viaBundles: [...cover.viaBundles],
      tier: cover.tier,
      severity: cover.severity,
      action: actionView(cover.action),
      decides: cover.decides,
    })),
  };
}
