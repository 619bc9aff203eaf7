import type { Catalogue } from '../indicators/catalogue.ts';
import { NO_RULING, type Ruling, stronger, type Verdicts } from '../policy/verdicts.ts';
import { compareRows, decrement, increment, lastOfPrefix } from './address-words.ts';
import type { AddressWords } from './prefix-rows.ts';
import type { Steps } from './steps.ts';

/** Nested prefixes on the stack at one time: one per prefix length at most. */
const NESTING_MAX = 129;
/** Each takes half a microsecond. */
const PREFIXES_A_STEP = 2_048;

/**
 * Walks the addresses of a range in rising order and says, for each stretch without a break, which
 * ruling holds there. `position` is where the walk starts in the catalogue's order of `ip` prefixes,
 * `base` the ruling of what contains the whole range.
 */
export function* sweepAddresses(options: {
  readonly catalogue: Catalogue;
  readonly verdicts: Verdicts;
  readonly words: AddressWords;
  readonly first: Uint32Array;
  readonly last: Uint32Array;
  readonly position: number;
  readonly base: Ruling;
  /** The two arrays are reused: copy what must stay. */
  readonly visit: (from: Uint32Array, to: Uint32Array, ruling: Ruling) => void;
}): Steps<void> {
  const { catalogue, verdicts, words, last, visit } = options;
  const order = catalogue.order('ip', words === 1 ? 4 : 6);
  const cursor = options.first.slice();
  const address = new Uint32Array(words);
  const before = new Uint32Array(words);
  const ends = new Uint32Array(NESTING_MAX * words);
  const rulings: Ruling[] = [];
  const end = new Uint32Array(words);
  let isPastEnd = false;

  const top = (): Ruling => rulings[rulings.length - 1] ?? options.base;
  const closeTop = (): void => {
    const at = (rulings.length - 1) * words;
    end.set(ends.subarray(at, at + words));
    if (!isPastEnd && compareRows(cursor, 0, end, 0, words) <= 0) {
      visit(cursor, end, top());
      cursor.set(end);
      isPastEnd = !increment(cursor);
    }
    rulings.pop();
  };

  for (let position = options.position; position < order.count; position++) {
    if (position % PREFIXES_A_STEP === 0 && position > options.position) yield;
    const id = order.at(position);
    catalogue.prefixWords(id, address);
    if (compareRows(address, 0, last, 0, words) > 0) break;
    const own = verdicts.ownSelf(id);
    if (own === NO_RULING) continue;
    while (
      rulings.length > 0 &&
      compareRows(ends, (rulings.length - 1) * words, address, 0, words) < 0
    ) {
      closeTop();
    }
    if (compareRows(cursor, 0, address, 0, words) < 0) {
      before.set(address);
      decrement(before);
      visit(cursor, before, top());
      cursor.set(address);
    }
    rulings.push(stronger(own, top()));
    lastOfPrefix(address, 0, catalogue.prefixLength(id), end);
    ends.set(end, (rulings.length - 1) * words);
  }
  while (rulings.length > 0) closeTop();
  if (!isPastEnd && compareRows(cursor, 0, last, 0, words) <= 0) visit(cursor, last, options.base);
}
