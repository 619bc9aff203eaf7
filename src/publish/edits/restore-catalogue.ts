import type { BackupCatalogue, BackupTarget } from '../backup/index.ts';
import { createBundle, updateBundle } from './bundles.ts';
import { holderOfName } from './edit.ts';
import { changeIndicators } from './indicators.ts';
import type { RestoreRun } from './restore-run.ts';
import { createTarget, updateTarget } from './targets.ts';

/** Targets that the server has and the backup has not; they stay, and bundles go on holding them. */
export type KeptTargets = readonly string[];

/**
 * Makes targets and bundles what they are in the document: those that are there under the same name
 * are changed, others made. None goes, since other accounts may use it.
 */
export function restoreCatalogue(run: RestoreRun, catalogue: BackupCatalogue): KeptTargets {
  const { edit } = run;
  const names = new Set(catalogue.targets.map(({ name }) => name.toLowerCase()));
  const kept = edit.draft.model.targets
    .values()
    .filter(({ origin, name }) => origin !== 'built-in' && !names.has(name.toLowerCase()))
    .map(({ name }) => name)
    .toArray();
  for (const [index, target] of catalogue.targets.entries()) {
    run.attempt(`catalogue.targets[${index}]`, () => restoreTarget(run, target));
  }
  for (const [index, bundle] of catalogue.bundles.entries()) {
    const known = holderOfName(edit, 'bundle', bundle.name, { ownId: null });
    run.attempt(`catalogue.bundles[${index}]`, () =>
      known === undefined ? createBundle(edit, bundle) : updateBundle(edit, known.id, bundle),
    );
  }
  return kept;
}

function restoreTarget({ edit }: RestoreRun, { indicators, ...fields }: BackupTarget): void {
  const known = holderOfName(edit, 'target', fields.name, { ownId: null });
  const target =
    known === undefined ? createTarget(edit, fields) : updateTarget(edit, known.id, fields);
  changeIndicators(edit, target.id, {
    replace: Buffer.from(indicators.join('\n')),
    confirmBroad: true,
    confirmRoot: true,
    rejected: 'refuse',
  });
}
