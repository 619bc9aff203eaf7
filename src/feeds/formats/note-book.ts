import { formatIndicator } from '../../indicators/format-indicator.ts';
import { INDICATOR_KINDS, type PackedIndicators } from '../../indicators/indicator.ts';
import type { IndicatorNote } from '../feed-content.ts';
import { type FeedFacts, NO_FACTS } from './feed-facts.ts';

const NOTES_MAX = 200_000;

/** What a source said about single indicators: nothing about nearly all of them, as a rule. */
export interface NoteBook {
  add(indicator: string, facts: FeedFacts): void;
  /** The notes about what is in the set. */
  about(packed: PackedIndicators): IndicatorNote[];
  leftOut(): number;
}

export function createNoteBook(): NoteBook {
  const notes = new Map<string, FeedFacts>();
  let leftOut = 0;
  return {
    add(indicator, facts) {
      if (facts.expiresAt === null && facts.confidence === null && facts.comment === '') return;
      const known = notes.get(indicator);
      if (known !== undefined) notes.set(indicator, together(known, facts));
      else if (notes.size < NOTES_MAX) notes.set(indicator, facts);
      else leftOut++;
    },
    about(packed) {
      if (notes.size === 0) return [];
      const found: IndicatorNote[] = [];
      let start = 0;
      for (let index = 0; index < packed.count; index++) {
        const kind = INDICATOR_KINDS[packed.kinds[index]];
        const indicator = formatIndicator(kind, packed.keys.subarray(start, packed.ends[index]));
        const facts = notes.get(indicator) ?? (kind === 'name' ? ofForms(notes, indicator) : null);
        if (facts !== null) found.push({ indicator, ...facts });
        start = packed.ends[index];
      }
      return found;
    },
    leftOut: () => leftOut,
  };
}

/** Of a name that was written as its host and as what is below it. */
function ofForms(notes: ReadonlyMap<string, FeedFacts>, name: string): FeedFacts | null {
  return notes.get(`*.${name}`) ?? notes.get(`host:${name}`) ?? null;
}

/** Of two lines about one indicator: it is valid as long and as certain as either says. */
function together(a: FeedFacts, b: FeedFacts): FeedFacts {
  return {
    expiresAt: larger(a.expiresAt, b.expiresAt),
    confidence: larger(a.confidence, b.confidence),
    comment: a.comment === '' ? b.comment : a.comment,
  };
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || (b !== null && b > a) ? b : a;
}

/** Facts of a comment alone. */
export function commentFacts(comment: string): FeedFacts {
  return comment === '' ? NO_FACTS : { ...NO_FACTS, comment };
}
