import type { Catalogue } from '../indicators/catalogue.ts';
import { ModelError } from '../policy/model-error.ts';
import { compactCatalogue } from './compact.ts';
import { describeZones } from './describe-zones.ts';
import { explainQuery } from './explain.ts';
import { listMemberLines } from './list-members.ts';
import { loadState } from './load-state.ts';
import { createDraft } from './model-draft.ts';
import { type PlanOptions, planChange } from './plan-change.ts';
import { planCommit, rememberCommit } from './plan-commit.ts';
import type { ModelDraft, Published, Publisher } from './publisher.ts';
import type { Ledger, PublishedState } from './state.ts';
import type { Store } from './store-port.ts';
import type { JournalLimits } from './zone-build.ts';
import type { ZoneDefaults } from './zone-names.ts';

/** Edits that wait for the one before them; more are refused rather than kept. */
const EDITS_WAITING_MAX = 1_000;

export interface PublisherOptions {
  readonly store: Store;
  readonly defaults: ZoneDefaults;
  readonly limits: JournalLimits;
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** Called after each swap, with the zones that have a new serial: this is where NOTIFY is woken. */
  readonly onPublished?: (published: Published<unknown>) => void;
  readonly onListenerError?: (error: unknown) => void;
}

/** The publisher with what the reading side needs of it. */
export interface RunningPublisher extends Publisher {
  /** The state that is served now. Take it once per question: it is replaced, never changed. */
  readonly state: PublishedState;
  readonly catalogue: Catalogue;
  /** Resolves when no edit is under way. */
  idle(): Promise<void>;
}

/**
 * Loads what the store has and becomes its one writer. A change runs through in one visible order:
 * edit the draft; no difference, no new serial; commit; swap; tell.
 */
export async function createPublisher(options: PublisherOptions): Promise<RunningPublisher> {
  const { store, clock, defaults, limits } = options;
  const plan = (catalogue: Catalogue): PlanOptions => ({
    catalogue,
    defaults,
    limits,
    now: clock(),
  });
  let loaded = await loadState(store, plan);
  if (await compactCatalogue(loaded, store)) loaded = await loadState(store, plan);
  const ledger: Ledger = loaded.ledger;
  let state: PublishedState = loaded.state;
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const publish = async <Value>(
    by: { readonly actor: string; readonly action: string },
    edit: (draft: ModelDraft) => Value,
  ): Promise<Published<Value>> => {
    const before = state;
    const now = clock();
    const draft = createDraft({ ...before, catalogue: ledger.catalogue, now });
    const value = edit(draft);
    const finished = draft.finish();
    const planned = planChange(before, finished.model, { ...plan(ledger.catalogue), now });
    const { changes, ...served } = planned;
    const after = { ...served, model: finished.model, nextIds: finished.nextIds };
    const published = { value, zones: changes };
    const commit = planCommit({
      by,
      before,
      after,
      finished,
      ledger,
      now,
      changes,
    });
    if (commit === null) return published;
    await store.commit(commit);
    rememberCommit(ledger, commit);
    state = after;
    try {
      options.onPublished?.(published);
    } catch (error) {
      // The edit is on disk and served: whoever listens must not make it look refused.
      options.onListenerError?.(error);
    }
    return published;
  };

  return {
    get state() {
      return state;
    },
    get model() {
      return state.model;
    },
    catalogue: ledger.catalogue,
    change(by, edit) {
      if (waiting >= EDITS_WAITING_MAX) {
        const rule = `More than ${EDITS_WAITING_MAX} edits are waiting; try again later.`;
        return Promise.reject(new ModelError('busy', { field: 'request', value: waiting, rule }));
      }
      waiting++;
      const result = tail.then(() => publish(by, edit)).finally(() => waiting--);
      tail = result.catch(() => undefined);
      return result;
    },
    idle: () => tail.then(() => undefined),
    zones: () => describeZones(state.zones),
    listMembers: (holder, offset, limit) =>
      listMemberLines({ model: state.model, catalogue: ledger.catalogue, holder, offset, limit }),
    explain: (policyId, query) =>
      explainQuery({ state, catalogue: ledger.catalogue, policyId, query }),
  };
}
