import type { Catalogue } from '../../indicators/catalogue.ts';
import { type ActionNumber, NO_ACTION } from '../../policy/verdicts.ts';
import { belowAction, type RpzContent, type RpzState, selfAction } from '../../zone/rpz-content.ts';
import type { RpzRendering } from '../../zone/rpz-rendering.ts';
import { idSlices } from './id-slices.ts';

export type NameVerdict = 'block' | 'allow' | null;

/** What a zone says of a name, and of all names below it that it says nothing more special of. */
export interface NameRule {
  /** Of the owner in the catalogue. */
  readonly id: number;
  /** Labels in wire form without root octet; none for the root. */
  readonly labels: Uint8Array;
  readonly self: NameVerdict;
  readonly below: NameVerdict;
}

/** A zone's rules for query names; those for addresses, name servers and clients are left out. */
export function* nameRules(
  content: RpzContent,
  rendering: RpzRendering,
  catalogue: Catalogue,
): Generator<NameRule> {
  for (const [state, ids] of content) {
    const { self, below } = nameVerdicts(state, rendering);
    for (const slice of idSlices(ids)) {
      for (const id of slice) {
        if (catalogue.isPrefix(id)) continue;
        const labels = catalogue.owner(id);
        if (!endsInNsdname(labels)) yield { id, labels, self, below };
      }
    }
  }
}

export function nameVerdicts(
  state: RpzState,
  rendering: RpzRendering,
): Pick<NameRule, 'self' | 'below'> {
  const verdict = (action: ActionNumber): NameVerdict => {
    if (action === NO_ACTION) return null;
    return rendering.rendered(action).action.kind === 'allow' ? 'allow' : 'block';
  };
  return { self: verdict(selfAction(state)), below: verdict(belowAction(state)) };
}

const NSDNAME = Buffer.from('\x0brpz-nsdname', 'latin1');

function endsInNsdname(labels: Uint8Array): boolean {
  const start = labels.length - NSDNAME.length;
  if (start < 0) return false;
  for (let index = 0; index < NSDNAME.length; index++) {
    if (labels[start + index] !== NSDNAME[index]) return false;
  }
  return true;
}
