import { formatIndicator, type Indicator, packIndicators } from '../../indicators/index.ts';
import type { ListEntry, Model, UserList } from '../../policy/model.ts';
import { ModelError, type Refusal } from '../../policy/model-error.ts';
import { type Edit, findWritableList, refuse } from './edit.ts';
import { type EntryOptions, parseEntryValue, type ReadEntry, readEntry } from './list-entry.ts';

export const LIST_ENTRIES_MAX = 32_000;
const REJECTIONS_SHOWN_MAX = 100;

export interface EntriesChange {
  /** Texts or `{value, comment, expiresAt}`; an entry that is there already takes over both. */
  readonly add?: readonly unknown[];
  /** Values, in any form that means the same. */
  readonly remove?: readonly unknown[];
  /** Everything that is not in it goes. */
  readonly replace?: readonly unknown[];
  /** Where the items of `replace` stand in the text that they come from. */
  readonly lines?: readonly number[];
  /** Accept public suffixes and very short prefixes. */
  readonly confirmBroad?: boolean;
  /** Accept the root, `*`: everything there is. */
  readonly confirmRoot?: boolean;
  /** What a rejected entry does: `refuse` refuses the whole change, `report` leaves it out and says so. */
  readonly rejected?: 'report' | 'refuse';
}

export interface RejectedItem {
  readonly list: 'add' | 'remove' | 'replace';
  /** From 1: the line of a text, or the place in a list. */
  readonly line: number;
  readonly text: string;
  readonly reason: string;
  readonly rule: string;
}

export interface EntriesChanged {
  readonly added: number;
  /** Entries that were there and have another comment or expiry now. */
  readonly updated: number;
  readonly removed: number;
  readonly unchanged: number;
  readonly rejectedTotal: number;
  readonly rejected: readonly RejectedItem[];
}

/** Changes the entries of a list: removes, then adds, or replaces all. */
export function changeEntries(edit: Edit, listId: number, change: EntriesChange): EntriesChanged {
  const list = findWritableList(edit, listId);
  const options: EntryOptions = {
    settings: edit.settings,
    confirmBroad: change.confirmBroad ?? false,
    confirmRoot: change.confirmRoot ?? false,
    now: edit.draft.now,
  };
  const rejected: RejectedItem[] = [];
  const removed = readRemovals(change.remove ?? [], options, rejected);
  const given = new Map<string, ReadEntry>();
  for (const key of ['add', 'replace'] as const) {
    for (const [index, item] of readItems(change[key] ?? [], key).entries()) {
      const read = readEntry(item, options);
      if ('entry' in read) given.set(read.entry.value, read);
      else {
        const line = (key === 'replace' ? change.lines?.[index] : undefined) ?? index + 1;
        rejected.push({ list: key, line, text: itemText(item), ...read });
      }
    }
  }
  refuseRejected(rejected, change, given.size);
  if (change.replace !== undefined) for (const value of list.entries.keys()) removed.add(value);
  for (const value of given.keys()) removed.delete(value);
  return { ...applyEntries(edit, list, given, removed), ...shown(rejected) };
}

/** Removes entries whose time is over from every list; says how many went. */
export function removeExpiredEntries(edit: Omit<Edit, 'accountId'>): number {
  let count = 0;
  for (const list of edit.draft.model.lists.values()) {
    const first = firstExpiry(list.entries);
    if (first === null || first > edit.draft.now) continue;
    const expired = [...list.entries].filter(
      ([, { expiresAt }]) => expiresAt !== null && expiresAt <= edit.draft.now,
    );
    const values = new Set(expired.map(([value]) => value));
    count += applyEntries(edit, list, new Map(), values).removed;
  }
  return count;
}

/** When the next entry of any list expires (Unix milliseconds), or null when none does. */
export function nextEntryExpiry(model: Model): number | null {
  let next: number | null = null;
  for (const { entries } of model.lists.values()) {
    const first = firstExpiry(entries);
    if (first !== null && (next === null || first < next)) next = first;
  }
  return next;
}

/** When the next entry expires (Unix milliseconds); looked for once per state of a list, as the clock asks often. */
export function firstExpiry(entries: UserList['entries']): number | null {
  const known = firstExpiries.get(entries);
  if (known !== undefined) return known;
  let first: number | null = null;
  for (const { expiresAt } of entries.values()) {
    if (expiresAt !== null && (first === null || expiresAt < first)) first = expiresAt;
  }
  firstExpiries.set(entries, first);
  return first;
}

const firstExpiries = new WeakMap<UserList['entries'], number | null>();

/** What is held may be named without a second question, however much it covers. */
const CONFIRMED = { confirmBroad: true, confirmRoot: true };

type Applied = Pick<EntriesChanged, 'added' | 'updated' | 'removed' | 'unchanged'>;

function applyEntries(
  edit: Omit<Edit, 'accountId'>,
  list: UserList,
  given: ReadonlyMap<string, ReadEntry>,
  removals: ReadonlySet<string>,
): Applied {
  const fresh = [...given.values()].filter(({ entry }) => !list.entries.has(entry.value));
  const changed = [...given.values()].filter(({ entry }) => {
    const held = list.entries.get(entry.value);
    return held !== undefined && !isSameEntry(held, entry);
  });
  const gone = [...removals].filter((value) => list.entries.has(value));
  const size = list.entries.size + fresh.length - gone.length;
  if (size > LIST_ENTRIES_MAX) {
    const rule = `A list has at most ${LIST_ENTRIES_MAX} entries.`;
    throw refuse('list-full', 'entries', size, rule);
  }
  if (fresh.length + changed.length + gone.length > 0) {
    const remaining = new Map(list.entries);
    for (const value of gone) remaining.delete(value);
    for (const { entry } of fresh) remaining.set(entry.value, entry);
    const { draft } = edit;
    if (gone.length > 0) draft.deleteListEntries(list.id, gone);
    draft.putListEntries(
      list.id,
      [...fresh, ...changed].map(({ entry }) => ({
        ...entry,
        createdAt: list.entries.get(entry.value)?.createdAt ?? entry.createdAt,
      })),
    );
    draft.changeMembers(
      { kind: 'list', id: list.id },
      {
        add: packIndicators(fresh.flatMap(({ indicators }) => indicators)),
        remove: packIndicators(indicatorsNoLongerHeld(edit, gone, remaining)),
      },
    );
    const current = draft.model.lists.get(list.id) ?? list;
    draft.put('list', { ...current, updatedAt: draft.now });
  }
  return {
    added: fresh.length,
    updated: changed.length,
    removed: gone.length,
    unchanged: given.size - fresh.length - changed.length,
  };
}

/**
 * The indicators of entries that went, without those that another entry still stands for. Only
 * ranges can share an indicator with another entry, so only they are read again.
 */
function indicatorsNoLongerHeld(
  edit: Omit<Edit, 'accountId'>,
  gone: readonly string[],
  remaining: ReadonlyMap<string, ListEntry>,
): readonly Indicator[] {
  if (gone.length === 0) return [];
  const options = { settings: edit.settings, ...CONFIRMED };
  const indicatorsOf = (value: string): readonly Indicator[] => {
    const parsed = parseEntryValue(value, options);
    return 'indicators' in parsed ? parsed.indicators : [];
  };
  const inRanges = new Set<string>();
  for (const value of remaining.keys()) {
    if (!isRange(value)) continue;
    for (const { kind, key } of indicatorsOf(value)) inRanges.add(formatIndicator(kind, key));
  }
  return gone.flatMap(indicatorsOf).filter(({ kind, key }) => {
    const text = formatIndicator(kind, key);
    return !remaining.has(text) && !inRanges.has(text);
  });
}

/** Also true of a few names, such as `dead-beef.ee`, which then are read once more for nothing. */
function isRange(value: string): boolean {
  return /^[0-9a-f.:]+-[0-9a-f.:]+$/.test(value);
}

function readRemovals(
  items: unknown,
  options: EntryOptions,
  rejected: RejectedItem[],
): Set<string> {
  const values = new Set<string>();
  for (const [index, item] of readItems(items, 'remove').entries()) {
    const parsed =
      typeof item === 'string'
        ? parseEntryValue(item, { ...options, ...CONFIRMED })
        : { reason: 'field-type', rule: 'The value is a text.' };
    if ('value' in parsed) values.add(parsed.value);
    else rejected.push({ list: 'remove', line: index + 1, text: itemText(item), ...parsed });
  }
  return values;
}

function readItems(items: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(items) || items.length > LIST_ENTRIES_MAX) {
    const rule = `The value is a list of at most ${LIST_ENTRIES_MAX} entries.`;
    throw refuse('field-type', field, Array.isArray(items) ? items.length : items, rule);
  }
  return items;
}

function refuseRejected(
  rejected: readonly RejectedItem[],
  change: EntriesChange,
  accepted: number,
): void {
  const [first, ...others] = rejected
    .slice(0, REJECTIONS_SHOWN_MAX)
    .map((item) => refusalOf(item, change.lines !== undefined));
  if (first === undefined) return;
  if ((change.rejected ?? 'refuse') === 'refuse') throw new ModelError(first.code, first, others);
  if (change.replace !== undefined && accepted === 0) {
    const rule = 'No line is an entry, so the list keeps what it holds.';
    throw refuse('nothing-accepted', 'replace', rejected.length, rule);
  }
}

function refusalOf({ list, line, text, reason, rule }: RejectedItem, isText: boolean): Refusal {
  const code = reason === 'entry-expired' ? 'entry-expired' : 'entry-form';
  const field = isText && list === 'replace' ? `line ${line}` : `${list}[${line - 1}]`;
  return { code, field, value: text, rule };
}

function shown(
  rejected: readonly RejectedItem[],
): Pick<EntriesChanged, 'rejectedTotal' | 'rejected'> {
  return { rejectedTotal: rejected.length, rejected: rejected.slice(0, REJECTIONS_SHOWN_MAX) };
}

const TEXT_SHOWN_MAX = 255;

function itemText(item: unknown): string {
  const value = typeof item === 'object' && item !== null && 'value' in item ? item.value : item;
  const text = typeof value === 'string' ? value : (JSON.stringify(item) ?? String(item));
  return text.slice(0, TEXT_SHOWN_MAX);
}

function isSameEntry(a: ListEntry, b: ListEntry): boolean {
  return a.comment === b.comment && a.expiresAt === b.expiresAt;
}
