import type { Account, Policy } from '../../policy/model.ts';
import { ModelError, type Refusal } from '../../policy/model-error.ts';
import type { OwnedKind } from '../name-index.ts';
import type { EntityTypes } from '../publisher.ts';
import { type Edit, holderOfName } from './edit.ts';

/** What the steps of one restore share: they go on after a refusal, so that all are told at once. */
export interface RestoreRun {
  readonly edit: Edit;
  readonly leavesOutMissing: boolean;
  /** Sentences about what was left out. */
  readonly leftOut: readonly string[];
  /** Runs an edit; what it refuses is kept under the path of what is restored, and null given. */
  attempt<Value>(path: string, run: () => Value): Value | null;
  refuse(refusal: Refusal): void;
  /** A name in the document that nothing has here: refused, or left out where that was asked for. */
  missing(refusal: Refusal): void;
  /** Throws a ModelError with everything that was refused. */
  close(): void;
}

export function openRestore(edit: Edit, leavesOutMissing: boolean): RestoreRun {
  const refusals: Refusal[] = [];
  const leftOut: string[] = [];
  return {
    edit,
    leavesOutMissing,
    leftOut,
    attempt(path, run) {
      try {
        return run();
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        for (const { field, ...refusal } of error.refusals) {
          refusals.push({ ...refusal, field: field === '' ? path : `${path}.${field}` });
        }
        return null;
      }
    },
    refuse: (refusal) => {
      refusals.push(refusal);
    },
    missing(refusal) {
      if (leavesOutMissing) leftOut.push(`${refusal.field}: ${refusal.rule}`);
      else refusals.push(refusal);
    },
    close() {
      // What is missing comes first: it is what somebody has to see to before trying again.
      const [first, ...others] = refusals.toSorted(
        (a, b) => Number(b.code === 'reference-unknown') - Number(a.code === 'reference-unknown'),
      );
      if (first !== undefined) throw new ModelError(first.code, first, others);
    },
  };
}

/** What the account that is restored has of this name, compared without case. */
export function ownByName<Kind extends OwnedKind>(
  { edit }: RestoreRun,
  kind: Kind,
  name: string,
): EntityTypes[Kind] | undefined {
  return holderOfName(edit, kind, name, { ownId: null, accountId: edit.accountId });
}

export function accountByLabel({ edit }: RestoreRun, label: string): Account | undefined {
  return edit.draft.named('account', label).find((account) => account.label === label);
}

/** The policy of this name that is there for every account. */
export function predefinedByName({ edit }: RestoreRun, name: string): Policy | undefined {
  const wanted = name.toLowerCase();
  return edit.draft
    .named('policy', name)
    .find((policy) => policy.predefined && policy.name === wanted);
}
