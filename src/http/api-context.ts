import type { FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { DeviceId } from '../policy/model.ts';
import { holdChange } from '../publish/edits/held-changes.ts';
import type { Edit, Viewer } from '../publish/edits/index.ts';
import { policySizes } from '../publish/policy-size.ts';
import type { Author, ModelDraft, PlannedChange, ZoneSummary } from '../publish/publisher.ts';
import { type Preview, previewChange } from '../publish/safety/preview.ts';
import { findWarnings } from '../publish/safety/warnings.ts';
import type { ApiOptions } from './api-options.ts';
import { identityOf } from './authenticate.ts';
import type { AnyChangeRoute } from './change-route.ts';
import { heldRequestOf } from './held-request.ts';
import { type ChangeSwitches, prepareEdit } from './prepare-edit.ts';
import { isoTime } from './views/common.ts';
import type { PolicyViewSource } from './views/policy-view.ts';
import type { HeldView, PreviewView } from './views/preview-view.ts';
import { type ZoneChangesSchema, zoneChangeView } from './views/zone-view.ts';

type Zones = Static<typeof ZoneChangesSchema>;

/** How a request to change something ended. */
export type ChangeOutcome =
  | { readonly kind: 'published'; readonly value: unknown; readonly zones: Zones }
  | { readonly kind: 'preview'; readonly preview: PreviewView }
  | { readonly kind: 'held'; readonly held: HeldView; readonly preview: PreviewView };

/** A route that changes the model, as batches and held changes find it. */
export interface RegisteredChange {
  readonly route: AnyChangeRoute;
  /** With `dryRun` and `confirm`. */
  readonly querystring: TSchema;
}

/** What the routes share. */
export interface ApiContext {
  readonly options: ApiOptions;
  /** Every route that changes the model, in the order of their registration. */
  readonly changeRoutes: RegisteredChange[];
  /** The model as the sender of the request may see it. */
  viewer(request: FastifyRequest): Viewer;
  /** The model with the zones that are served, for views of policies and devices. */
  source(request: FastifyRequest): PolicyViewSource;
  /** Carries out what a change route was asked for: publishes, holds, or only shows. */
  run(request: FastifyRequest, route: AnyChangeRoute): Promise<ChangeOutcome>;
  /** Publishes edits that no single route stands for, such as those of a batch. */
  change<Value>(
    request: FastifyRequest,
    action: string,
    edit: (edit: Edit) => Value,
  ): Promise<{ readonly value: Value; readonly zones: Zones }>;
}

export function createApiContext(
  options: ApiOptions,
  published: (seconds: number) => void,
): ApiContext {
  const { publisher, edits, safety } = options;

  const author = (request: FastifyRequest, action: string): Author => {
    const { accountId, actor } = identityOf(request);
    // The audit trail says what was edited, too: `target.update 12`.
    const subject = Object.values((request.params ?? {}) as Record<string, unknown>);
    return { actor, action: [action, ...subject].join(' '), accountId };
  };
  const editOf = (request: FastifyRequest, draft: ModelDraft): Edit => ({
    draft,
    settings: edits,
    accountId: identityOf(request).accountId,
    system: false,
  });
  const change = async <Value>(
    request: FastifyRequest,
    by: Author,
    edit: (edit: Edit) => Value,
    check?: (planned: PlannedChange) => void,
  ) => {
    const startedMs = options.monotonicMs();
    const run = (draft: ModelDraft) => edit(editOf(request, draft));
    const { value, zones } = await publisher.change(by, run, check);
    if (zones.length > 0) published((options.monotonicMs() - startedMs) / 1000);
    const told = zones.filter(({ origin }) => isOwn(request, origin));
    return { value, zones: told.map(zoneChangeView) };
  };
  /** Whether a zone is the account's own. Who runs the server sees them all, as an edit of the catalogue reaches them all. */
  const isOwn = (request: FastifyRequest, origin: string): boolean => {
    const account = publisher.model.accounts.get(identityOf(request).accountId);
    if (account === undefined || account.operator) return true;
    return origin.endsWith(`.${account.label}.${edits.root}`);
  };
  const ownPart = (request: FastifyRequest, preview: Preview): Preview => {
    const { accountId } = identityOf(request);
    const { accounts, devices } = publisher.model;
    if (accounts.get(accountId)?.operator) return preview;
    return {
      zones: preview.zones.filter(({ origin }) => isOwn(request, origin)),
      devices: preview.devices.filter(
        ({ id }) => devices.get(id as DeviceId)?.accountId === accountId,
      ),
      warnings: preview.warnings.filter(({ zone }) => isOwn(request, zone)),
    };
  };
  const holdAboveLimits = (planned: PlannedChange): void => {
    if (!findWarnings(planned, safety).some(({ holds }) => holds)) return;
    throw new AboveLimits(previewChange(planned, safety));
  };
  const hold = async (
    request: FastifyRequest,
    by: Author,
    preview: Preview,
  ): Promise<ChangeOutcome> => {
    const own = ownPart(request, preview);
    const reasons = reasonsOf(preview, own);
    const held = { ...heldRequestOf(request), reasons, actor: by.actor, action: by.action };
    const { value } = await change(request, { ...by, action: 'change.hold' }, (edit) =>
      holdChange(edit, held),
    );
    return {
      kind: 'held',
      held: { id: value.id, reasons, expiresAt: isoTime(value.expiresAt) },
      preview: previewView(own),
    };
  };

  return {
    options,
    changeRoutes: [],
    viewer: (request) => ({ model: publisher.model, accountId: identityOf(request).accountId }),
    source: (request) => ({
      model: publisher.model,
      accountId: identityOf(request).accountId,
      zonesByPolicy: groupByPolicy(publisher.zones()),
      memberKinds: edits.memberKinds,
      sizes: policySizes(publisher.state),
    }),
    async run(request, route) {
      const { dryRun = false, confirm = false } = request.query as ChangeSwitches;
      const edit = await prepareEdit(route, request);
      const by = author(request, route.action);
      if (dryRun) {
        const preview = await publisher.preview(
          (draft) => edit(editOf(request, draft)),
          (planned) => previewChange(planned, safety),
        );
        return { kind: 'preview', preview: previewView(ownPart(request, preview)) };
      }
      try {
        const isFree = confirm || route.tellsSecret === true;
        const changed = await change(request, by, edit, isFree ? undefined : holdAboveLimits);
        return { kind: 'published', ...changed };
      } catch (error) {
        if (!(error instanceof AboveLimits)) throw error;
        return hold(request, by, error.preview);
      }
    },
    change: (request, action, edit) => change(request, author(request, action), edit),
  };
}

/** Thrown between planning and commit, so that nothing of the change is kept. */
class AboveLimits extends Error {
  readonly preview: Preview;

  constructor(preview: Preview) {
    super('the change is above the configured limits');
    this.preview = preview;
  }
}

/** Those that hold a change come first. */
const WARNINGS_MAX = 200;

/**
 * Why a change is held: what is unusual in the account's own zones, and of zones of other accounts,
 * whose names are not its business, only that there are some.
 */
function reasonsOf(whole: Preview, own: Preview): string[] {
  const holding = ({ warnings }: Preview) => warnings.filter(({ holds }) => holds);
  const reasons = holding(own).map(({ text }) => text);
  const shown = reasons.slice(0, WARNINGS_MAX);
  return holding(whole).length > reasons.length ? [...shown, OTHERS_ABOVE_LIMITS] : shown;
}

const OTHERS_ABOVE_LIMITS =
  'Zones of other accounts, which take part of this change, would change above the limits.';

function previewView({ zones, devices, warnings }: Preview): PreviewView {
  return {
    zones: zones.map((zone) => ({ ...zone, removed: [...zone.removed], added: [...zone.added] })),
    devices: devices.map((device) => ({ ...device })),
    warnings: warnings.slice(0, WARNINGS_MAX).map((warning) => ({ ...warning })),
  };
}

function groupByPolicy(zones: readonly ZoneSummary[]): ReadonlyMap<number, readonly ZoneSummary[]> {
  const ofPolicies = zones.filter(({ deviceId }) => deviceId === null);
  return Map.groupBy(ofPolicies, ({ policyId }) => policyId ?? 0);
}
