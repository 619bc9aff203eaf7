import type { Catalogue } from '../indicators/catalogue.ts';
import { formatIndicator } from '../indicators/format-indicator.ts';
import { visitIds } from '../indicators/id-set.ts';
import { MEMBER_FORMS } from '../indicators/indicator.ts';
import type { Model } from '../policy/model.ts';
import { membersOf } from './model-draft.ts';
import type { Holder } from './store-port.ts';

/** A page of a holder's members as text, by form and then in the order in which they were first seen. */
export function listMemberLines(options: {
  readonly model: Model;
  readonly catalogue: Catalogue;
  readonly holder: Holder;
  readonly offset: number;
  readonly limit: number;
}): string[] {
  const { model, catalogue, holder, offset, limit } = options;
  const members = membersOf(model, holder);
  const lines: string[] = [];
  let skip = offset;
  for (const form of MEMBER_FORMS) {
    if (skip >= members[form].size) {
      skip -= members[form].size;
      continue;
    }
    visitIds(members[form], (id) => {
      if (skip > 0) {
        skip--;
        return true;
      }
      if (lines.length >= limit) return false;
      const { kind, key } = catalogue.indicator(id, form);
      lines.push(formatIndicator(kind, key));
      return true;
    });
  }
  return lines;
}
