import { setImmediate as nextTurn } from 'node:timers/promises';
import { ModelError } from '../policy/model-error.ts';
import { compactCatalogue } from './compact.ts';
import { describeZones } from './describe-zones.ts';
import {
  type DigestThreadOptions,
  startDigestThread,
} from './digest-thread/start-digest-thread.ts';
import { explainQuery } from './explain.ts';
import { internInSlices } from './intern-slices.ts';
import { listMemberLines } from './list-members.ts';
import { loadState } from './load-state.ts';
import { createDraft } from './model-draft.ts';
import { planChange } from './plan-change.ts';
import { planCommit, rememberCommit } from './plan-commit.ts';
import type { Author, ModelDraft, PlannedChange, Published, Publisher } from './publisher.ts';
import { inSlices } from './slices.ts';
import type { Ledger, PublishedState } from './state.ts';
import { createImageKeeper } from './state-image.ts';
import type { Store } from './store-port.ts';
import { refuseUnboundCrash } from './unbound-guard.ts';
import type { JournalLimits } from './zone-build.ts';
import { withDigests } from './zone-digests.ts';
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
  /** Told when what the next start could have begun from could not be written. */
  readonly onImageError?: (error: unknown) => void;
  /** How the thread for digests of large zones runs, and who is told when it dies. */
  readonly digestThread?: DigestThreadOptions;
}

/**
 * Owners that were brought in by dry runs and refused edits. They are given back at a start only, so
 * there is an end to them.
 */
const OWNERS_TRIED_MAX = 2_000_000;

function refuseTooMuchTried({ ownersTried }: Ledger): void {
  if (ownersTried <= OWNERS_TRIED_MAX) return;
  const rule = `More than ${OWNERS_TRIED_MAX} names and addresses were tried and not kept; restart the server to go on with dry runs.`;
  throw new ModelError('busy', { field: 'dryRun', value: ownersTried, rule });
}

/** The publisher with what starting and stopping needs of it. */
export interface RunningPublisher extends Publisher {
  /** Resolves when no edit is under way. */
  idle(): Promise<void>;
  /** Waits for the edit that is under way, and ends what runs for the publisher. */
  close(): Promise<void>;
}

/**
 * Loads what the store has and becomes its one writer. A change runs through in one visible order:
 * edit the draft; no difference, no new serial; commit; swap; tell.
 */
export async function createPublisher(options: PublisherOptions): Promise<RunningPublisher> {
  const { store, clock, defaults, limits } = options;
  const common = { defaults, limits };
  const digestThread = startDigestThread(options.digestThread);
  let loaded = await loadState(store, { ...common, now: clock() }, digestThread);
  if (await compactCatalogue(loaded, store)) {
    loaded = await loadState(store, { ...common, now: clock() }, digestThread);
  }
  const ledger: Ledger = loaded.ledger;
  let state: PublishedState = loaded.state;
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  /**
   * Everything that an edit leads to, worked out from the state of now. Nothing of it is visible.
   * Between the steps others get their turn: a large edit takes tens of milliseconds.
   */
  const work = async <Value>(edit: (draft: ModelDraft) => Value) => {
    const before = state;
    const { catalogue, renderings } = ledger;
    const now = clock();
    const draft = createDraft({ ...before, catalogue, now });
    const value = edit(draft);
    const finished = draft.finish();
    await nextTurn();
    const options = { ...common, catalogue, renderings, now };
    const planned = await inSlices(planChange(before, finished, options));
    const { changes, ...served } = planned;
    const after = { ...served, model: finished.model, nextIds: finished.nextIds };
    const plan = { before, after, changes, catalogue };
    refuseUnboundCrash(plan);
    return { value, finished, now, plan };
  };

  /** What is not committed leaves no numbers behind, and what it made the catalogue grow by is counted. */
  const tried = async <Value>(run: () => Promise<Value>, isKept: () => boolean): Promise<Value> => {
    const owners = ledger.catalogue.count;
    const actions = ledger.actions.count;
    try {
      return await run();
    } finally {
      if (!isKept()) {
        ledger.actions.forgetAfter(actions);
        ledger.ownersTried += ledger.catalogue.count - owners;
      }
    }
  };

  const publish = async <Value>(
    by: Author,
    edit: (draft: ModelDraft) => Value,
    check?: (planned: PlannedChange) => void,
  ): Promise<Published<Value>> => {
    let isCommitted = false;
    const run = async (): Promise<Published<Value>> => {
      const { value, finished, now, plan } = await work(edit);
      check?.(plan);
      const { before, changes } = plan;
      const published = { value, zones: changes };
      await nextTurn();
      // Not part of the plan: a dry run does not need them, and nothing else takes as long.
      const origins = changes.map(({ origin }) => origin);
      const zones = await withDigests(plan.after.zones, origins, digestThread);
      const after = { ...plan.after, zones };
      const commit = planCommit({ by, before, after, finished, ledger, now, changes });
      if (commit === null) return published;
      await nextTurn();
      await store.commit(commit);
      isCommitted = true;
      rememberCommit(ledger, commit);
      state = after;
      return published;
    };
    const published = await tried(run, () => isCommitted);
    if (isCommitted) images.look();
    try {
      if (isCommitted) options.onPublished?.(published);
    } catch (error) {
      // The edit is on disk and served: whoever listens must not make it look refused.
      options.onListenerError?.(error);
    }
    return published;
  };

  const preview = async <Value>(
    edit: (draft: ModelDraft) => unknown,
    look: (planned: PlannedChange) => Value,
  ): Promise<Value> =>
    tried(
      async () => {
        refuseTooMuchTried(ledger);
        return look((await work(edit)).plan);
      },
      () => false,
    );

  /** One after the other, and not too many of them. */
  const inTurn = <Value>(run: () => Value | Promise<Value>): Promise<Value> => {
    if (waiting >= EDITS_WAITING_MAX) {
      const rule = `More than ${EDITS_WAITING_MAX} edits are waiting; try again later.`;
      return Promise.reject(new ModelError('busy', { field: 'request', value: waiting, rule }));
    }
    waiting++;
    const result = tail.then(run).finally(() => waiting--);
    tail = result.catch(() => undefined);
    return result;
  };

  const images = createImageKeeper({
    ledger,
    state: () => state,
    store,
    inTurn,
    imaged: loaded.imaged,
    onError: options.onImageError,
  });
  images.look();

  return {
    get state() {
      return state;
    },
    get model() {
      return state.model;
    },
    catalogue: ledger.catalogue,
    change: (by, edit, check) => inTurn(() => publish(by, edit, check)),
    preview: (edit, look) => inTurn(() => preview(edit, look)),
    changes: (query) => store.changes(query),
    memberHistory: (holder) => store.memberHistory(holder),
    memberSizes: (holder, limit) => store.memberSizes(holder, limit),
    memberNotes: (holder) => store.memberNotes(holder),
    internInSlices: (packed) => internInSlices({ packed, ledger, store, inTurn }),
    idle: () => tail.then(() => undefined),
    async close() {
      await tail;
      await images.close();
      await digestThread.close();
    },
    zones: () => describeZones(state.zones),
    listMembers: (holder, offset, limit) =>
      listMemberLines({ model: state.model, catalogue: ledger.catalogue, holder, offset, limit }),
    explain: (question) =>
      explainQuery({
        state,
        catalogue: ledger.catalogue,
        memberHistory: (holder) => store.memberHistory(holder),
        memberNotes: (holder) => store.memberNotes(holder),
        question,
      }),
  };
}
