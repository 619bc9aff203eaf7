import type { Catalogue } from '../indicators/catalogue.ts';
import type { PolicyId } from '../policy/model.ts';
import type { CompiledPolicy } from '../zone/policy-zones.ts';
import type { RpzRendering } from '../zone/rpz-rendering.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { Steps } from '../zone/steps.ts';
import type { FinishedDraft } from './model-draft.ts';
import { planPins } from './plan-pins.ts';
import { planPolicies } from './plan-policies.ts';
import { planZones } from './plan-zones.ts';
import type { ZoneChange } from './publisher.ts';
import type { Pin, PublishedState } from './state.ts';
import type { JournalLimits } from './zone-build.ts';
import type { ZoneDefaults } from './zone-names.ts';

export interface PlanOptions {
  readonly catalogue: Catalogue;
  readonly renderings: (ttl: number) => RpzRendering;
  readonly defaults: ZoneDefaults;
  readonly limits: JournalLimits;
  /** Unix milliseconds. */
  readonly now: number;
}

/** What a new model makes of the zones: nothing of it is visible yet. */
export interface Plan {
  readonly compiled: ReadonlyMap<PolicyId, CompiledPolicy>;
  readonly pins: ReadonlyMap<PolicyId, Pin>;
  readonly zones: ReadonlyMap<string, ZoneSnapshot>;
  readonly tombstones: PublishedState['tombstones'];
  /** Zones whose serial changed, that are new or gone, in the order of their names. */
  readonly changes: readonly ZoneChange[];
}

/**
 * Three steps: what the policies that an edit reached mean now; what that does to the content that
 * their zones carry; and every zone's next serial, wherever what it carries differs.
 */
export function* planChange(
  state: PublishedState,
  edited: Pick<FinishedDraft, 'model' | 'rollbacks' | 'touched'>,
  options: PlanOptions,
): Steps<Plan> {
  const { model } = edited;
  const pins = planPins(state, edited, options.defaults);
  const { compiled, lines } = yield* planPolicies(state, edited, pins, options);
  yield;
  const zones = yield* planZones(state, model, lines, options);
  return { compiled, pins, ...zones };
}
