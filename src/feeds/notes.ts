import type { Catalogue } from '../indicators/catalogue.ts';
import { hasId } from '../indicators/id-set.ts';
import { FORM_OF_KIND, type Indicator } from '../indicators/indicator.ts';
import { packIndicators } from '../indicators/pack-indicators.ts';
import { parseIndicator } from '../indicators/parse-indicator.ts';
import { EMPTY_MEMBERS, type MemberSets, withMembers } from '../policy/member-sets.ts';
import { encodeNotes, type MemberNote, visitNotes } from '../publish/member-notes.ts';

/** Notes of one target; what comes above is left out, and lives without one. */
const NOTES_MAX = 200_000;

export interface MergedNotes {
  /** For the database; null when nothing is said of anything. */
  readonly bytes: Uint8Array | null;
  /** When the first indicator ends by itself (Unix milliseconds); null when none does. */
  readonly nextExpiryAt: number | null;
}

/**
 * The notes of a target after its source was read: what it says now, and of members that it did not
 * tell and that stay, what it said before. `stays` is asked about indicators of before.
 */
export async function mergeNotes(options: {
  readonly told: readonly MemberNote[];
  readonly before: Uint8Array | null;
  readonly stays: ((indicator: Indicator) => boolean) | null;
}): Promise<MergedNotes> {
  const { told, before, stays } = options;
  const notes = told.slice(0, NOTES_MAX);
  if (before !== null && stays !== null) {
    await visitNotes(before, (note) => {
      if (notes.length >= NOTES_MAX) return;
      const indicator = indicatorOf(note.indicator);
      if (indicator !== null && stays(indicator)) notes.push(note);
    });
  }
  const bytes = notes.length === 0 && before === null ? null : await encodeNotes(notes);
  return { bytes, nextExpiryAt: earliestExpiry(notes) };
}

export interface ExpiredNotes {
  /** Members that have ended by themselves. */
  readonly expired: MemberSets;
  /** When the next one does (Unix milliseconds); null when none does. */
  readonly nextExpiryAt: number | null;
}

/** What has ended by a time, among the members that the catalogue knows. */
export async function expiredByNotes(
  bytes: Uint8Array,
  catalogue: Pick<Catalogue, 'lookup'>,
  now: number,
): Promise<ExpiredNotes> {
  const ended: Indicator[] = [];
  let nextExpiryAt: number | null = null;
  await visitNotes(bytes, (note) => {
    if (note.expiresAt === null) return;
    if (note.expiresAt > now) {
      nextExpiryAt = Math.min(nextExpiryAt ?? Number.POSITIVE_INFINITY, note.expiresAt);
      return;
    }
    const indicator = indicatorOf(note.indicator);
    if (indicator !== null) ended.push(indicator);
  });
  const ids = catalogue.lookup(packIndicators(ended));
  return { expired: withMembers(EMPTY_MEMBERS, ids, NO_IDS), nextExpiryAt };
}

/** Asks whether an indicator is among members, for `mergeNotes`. */
export function memberTest(
  catalogue: Pick<Catalogue, 'lookup'>,
  members: MemberSets,
): (indicator: Indicator) => boolean {
  return (indicator) => {
    const form = FORM_OF_KIND[indicator.kind];
    const [id] = catalogue.lookup(packIndicators([indicator]))[form];
    return id !== undefined && hasId(members[form], id);
  };
}

const NO_IDS = {
  subtree: new Uint32Array(0),
  exact: new Uint32Array(0),
  below: new Uint32Array(0),
  prefix: new Uint32Array(0),
};

function earliestExpiry(notes: readonly MemberNote[]): number | null {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { expiresAt } of notes) {
    if (expiresAt !== null && expiresAt < earliest) earliest = expiresAt;
  }
  return earliest === Number.POSITIVE_INFINITY ? null : earliest;
}

/** An indicator in our own words: it passed all checks when it came. */
function indicatorOf(text: string): Indicator | null {
  const parsed = parseIndicator(text, {
    ownerOctetsMax: 255,
    confirmBroad: true,
    confirmRoot: true,
    isPublicSuffix: () => false,
  });
  return parsed.ok && parsed.indicators.length === 1 ? parsed.indicators[0]! : null;
}
