import type { EntityKind } from './store-port.ts';

/**
 * The body of a row of the audit trail: what one change did. Whatever the change, it stays within
 * the maxima below; what does not fit is counted.
 */
export interface AuditRecord {
  readonly entities: readonly AuditedEntity[];
  readonly members: readonly AuditedMembers[];
  readonly entries: readonly AuditedEntries[];
  readonly zones: readonly AuditedZone[];
  /** How many more there were of each. */
  readonly omitted: Readonly<Record<'entities' | 'members' | 'entries' | 'zones', number>>;
}

/** Something that was made (`before` null), deleted (`after` null) or edited (the fields that differ). */
export interface AuditedEntity {
  readonly kind: EntityKind;
  readonly id: number;
  readonly name: string;
  /** Whom it belongs to; null for the catalogue, 0 for nobody that was known. */
  readonly accountId: number | null;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

export interface AuditedMembers {
  readonly kind: 'target' | 'list';
  readonly id: number;
  readonly name: string;
  readonly accountId: number | null;
  readonly added: number;
  readonly removed: number;
}

export interface AuditedEntry {
  readonly value: string;
  readonly comment: string;
  /** Unix milliseconds, or null for never. */
  readonly expiresAt: number | null;
}

/** Entries of one list; of those that changed, as they are now, and of those removed, as they were. */
export interface AuditedEntries {
  readonly listId: number;
  readonly name: string;
  readonly accountId: number | null;
  readonly added: FirstEntries;
  readonly changed: FirstEntries;
  readonly removed: FirstEntries;
}
interface FirstEntries {
  readonly count: number;
  readonly first: readonly AuditedEntry[];
}

/** By place, because a change may give a thousand zones a new serial. */
export type AuditedZone = readonly [
  origin: string,
  /** 0 when it was not known. */
  accountId: number,
  fromSerial: number | null,
  toSerial: number | null,
  recordsRemoved: number,
  recordsAdded: number,
];

/** Entities of one row; each has fields of at most VALUE_CHARACTERS_MAX. */
export const ENTITIES_MAX = { count: 1_000, characters: 200_000 };
/** Targets and lists of one row whose members changed, and lists whose entries did. */
export const HOLDERS_MAX = { count: 1_000, characters: 200_000 };
export const ZONES_MAX = { count: 2_000, characters: 200_000 };
/** Entries that are told of each list. */
export const ENTRIES_SHOWN_MAX = 100;
/** Things that a search finds one row by. */
export const SUBJECTS_MAX = 2_000;
/** Characters of JSON up to which the value of a field is kept whole. */
const VALUE_CHARACTERS_MAX = 2_000;
/** Items that are kept of a list which is longer than that. */
const ITEMS_SHOWN_MAX = 20;
/** Characters that are kept of a longer text. */
export const TEXT_CHARACTERS_MAX = 200;

/**
 * Two values of a field, whole if they are short. Of a long list its length is kept and the first
 * items that the other value lacks, of anything else the beginning of its text.
 */
export function shortened(before: unknown, after: unknown): readonly [unknown, unknown] {
  const [oldText, newText] = [textOf(before), textOf(after)];
  const isShort = [oldText, newText].every(({ length }) => length <= VALUE_CHARACTERS_MAX);
  if (isShort) return [before, after];
  return [shortenedValue(before, oldText, after), shortenedValue(after, newText, before)];
}

function shortenedValue(value: unknown, text: string, other: unknown): unknown {
  if (Array.isArray(value)) {
    const held = new Set(Array.isArray(other) ? other.map(textOf) : []);
    const own = value.filter((item) => !held.has(textOf(item)));
    return { items: value.length, first: own.slice(0, ITEMS_SHOWN_MAX).map(shortenedItem) };
  }
  return text.length <= VALUE_CHARACTERS_MAX ? value : shortenedItem(value);
}

function shortenedItem(item: unknown): unknown {
  const text = typeof item === 'string' ? item : textOf(item);
  return text.length <= TEXT_CHARACTERS_MAX ? item : `${text.slice(0, TEXT_CHARACTERS_MAX)}…`;
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

/** A body as it was stored. Version 1 of the trail told the zones alone, and not whose they were. */
export function readAuditRecord(body: string): AuditRecord {
  const {
    entities = [],
    members = [],
    entries = [],
    zones = [],
    omitted,
  } = JSON.parse(body) as {
    readonly zones?: readonly (AuditedZone | VersionOneZone)[];
  } & Partial<Omit<AuditRecord, 'zones'>>;
  return {
    entities,
    members,
    entries,
    zones: zones.map((zone) => ('origin' in zone ? fromVersionOne(zone) : zone)),
    omitted: omitted ?? { entities: 0, members: 0, entries: 0, zones: 0 },
  };
}

/** Of zones that were renewed at a start it told the new serial alone. */
interface VersionOneZone {
  readonly origin: string;
  readonly fromSerial?: number | null;
  readonly toSerial: number | null;
  readonly recordsRemoved?: number;
  readonly recordsAdded?: number;
}

function fromVersionOne(zone: VersionOneZone): AuditedZone {
  const { origin, fromSerial = null, toSerial, recordsRemoved = 0, recordsAdded = 0 } = zone;
  return [origin, 0, fromSerial, toSerial, recordsRemoved, recordsAdded];
}
