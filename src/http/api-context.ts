import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { Edit, Viewer } from '../publish/edits/index.ts';
import type { ZoneSummary } from '../publish/publisher.ts';
import type { ApiOptions } from './api-options.ts';
import { tokenOf } from './authenticate.ts';
import type { PolicyViewSource } from './views/policy-view.ts';
import { type ZoneChangesSchema, zoneChangeView } from './views/zone-view.ts';

/** What an edit gave, and every zone that it changed. */
export interface Changed<Value> {
  readonly value: Value;
  readonly zones: Static<typeof ZoneChangesSchema>;
}

/** What the routes share. */
export interface ApiContext {
  readonly options: ApiOptions;
  /** The model as the token of the request may see it. */
  viewer(request: FastifyRequest): Viewer;
  /** The model with the zones that are served, for views of policies and devices. */
  source(request: FastifyRequest): PolicyViewSource;
  /** Runs one edit for the token of the request. `action` names it in the audit trail: `target.create`. */
  change<Value>(
    request: FastifyRequest,
    action: string,
    edit: (edit: Edit) => Value,
  ): Promise<Changed<Value>>;
}

export function createApiContext(
  options: ApiOptions,
  published: (seconds: number) => void,
): ApiContext {
  const { publisher } = options;
  return {
    options,
    viewer: (request) => ({ model: publisher.model, accountId: tokenOf(request).accountId }),
    source: (request) => ({
      model: publisher.model,
      accountId: tokenOf(request).accountId,
      zonesByPolicy: groupByPolicy(publisher.zones()),
      memberKinds: options.edits.memberKinds,
    }),
    async change(request, action, edit) {
      const { accountId, name } = tokenOf(request);
      const startedMs = options.monotonicMs();
      // The audit trail says what was edited, too: `target.update 12`.
      const subject = Object.values((request.params ?? {}) as Record<string, unknown>);
      const by = { actor: name, action: [action, ...subject].join(' ') };
      const { value, zones } = await publisher.change(by, (draft) =>
        edit({ draft, settings: options.edits, accountId, system: false }),
      );
      if (zones.length > 0) published((options.monotonicMs() - startedMs) / 1000);
      return { value, zones: zones.map(zoneChangeView) };
    },
  };
}

function groupByPolicy(zones: readonly ZoneSummary[]): ReadonlyMap<number, readonly ZoneSummary[]> {
  return Map.groupBy(zones, ({ policyId }) => policyId);
}
