import { formatIndicator, formatNameKey } from '../../indicators/format-indicator.ts';
import {
  FORM_OF_KIND,
  INDICATOR_KINDS,
  type Indicator,
  type PackedIndicators,
} from '../../indicators/indicator.ts';

/** What a feed takes out of itself. */
export interface Exceptions {
  /** `subtree` takes a name out with all that is below it; `exact` one indicator. */
  add(indicator: Indicator, reach: 'subtree' | 'exact'): void;
  /** One octet per indicator, 1 for those that are taken out; null when there is none. */
  find(packed: PackedIndicators): Uint8Array | null;
}

/**
 * A feed is a set of what is to be blocked, so an exception inside something that stays blocked (a
 * name below a listed one, an address in a listed prefix) has nothing to take out and is counted
 * only. Who wants it open allows it in a list of their own.
 */
export function createExceptions(): Exceptions {
  const subtrees = new Set<string>();
  const exact = new Set<string>();
  const isTakenOut = (kind: Indicator['kind'], key: Uint8Array): boolean => {
    if (exact.size > 0 && exact.has(formatIndicator(kind, key))) return true;
    if (subtrees.size === 0 || FORM_OF_KIND[kind] === 'prefix') return false;
    const name = formatNameKey(key);
    for (let from = 0; ; ) {
      if (subtrees.has(name.slice(from))) return true;
      const dot = name.indexOf('.', from);
      if (dot === -1) return false;
      from = dot + 1;
    }
  };
  return {
    add({ kind, key }, reach) {
      if (reach === 'subtree' && FORM_OF_KIND[kind] !== 'prefix') subtrees.add(formatNameKey(key));
      else exact.add(formatIndicator(kind, key));
    },
    find(packed) {
      if (subtrees.size === 0 && exact.size === 0) return null;
      const dropped = new Uint8Array(packed.count);
      let start = 0;
      for (let index = 0; index < packed.count; index++) {
        const key = packed.keys.subarray(start, packed.ends[index]);
        if (isTakenOut(INDICATOR_KINDS[packed.kinds[index]], key)) dropped[index] = 1;
        start = packed.ends[index];
      }
      return dropped.includes(1) ? dropped : null;
    },
  };
}
