import { type Catalogue, NONE } from '../../indicators/catalogue.ts';
import { type ActionNumber, NO_ACTION } from '../../policy/verdicts.ts';
import { octetKey } from '../../zone/records.ts';
import {
  belowAction,
  NO_STATE,
  type RpzDiff,
  selfAction,
  stateAt,
} from '../../zone/rpz-content.ts';
import type { RpzRendering } from '../../zone/rpz-rendering.ts';
import type { ZoneBody } from '../../zone/snapshot.ts';
import {
  type GuardedName,
  isNameServerOwner,
  nameServerOwner,
  type WatchedOwners,
} from './guarded-names.ts';
import type { GuardedRange, GuardedRanges } from './guarded-ranges.ts';
import type { Harm } from './harm.ts';

type RpzBody = Extract<ZoneBody, { kind: 'rpz' }>;

/**
 * What a step of an RPZ zone newly blocks that is guarded. Looked at are the owners that moved, or
 * without a difference the watched owners that the zone holds; what counts is the final verdict
 * before and after, whichever rule brings it about.
 */
export function findRpzHarm(options: {
  readonly catalogue: Catalogue;
  readonly watched: WatchedOwners;
  readonly ranges: GuardedRanges;
  readonly before: RpzBody | null;
  readonly after: RpzBody;
  /** What moved; null when the whole zone has to be looked at. */
  readonly moves: RpzDiff | null;
}): Harm {
  const { catalogue, watched, ranges, before, after, moves } = options;
  const names = new Set<GuardedName>();
  const suffixes = new Map<string, GuardedName>();
  const touched = new Set<GuardedRange>();
  const words = { 4: new Uint32Array(1), 6: new Uint32Array(4) };

  const lookAtPrefix = (id: number): void => {
    if (!blocksPrefix(catalogue, after, id)) return;
    if (before !== null && blocksPrefix(catalogue, before, id)) return;
    const address = words[catalogue.prefixFamily(id)];
    catalogue.prefixWords(id, address);
    const family = ranges[address.length === 1 ? 1 : 4];
    for (const range of family.touching(address, 0, catalogue.prefixLength(id))) touched.add(range);
  };
  const lookAtName = (id: number): void => {
    const isNameServer = isNameServerOwner(catalogue.owner(id));
    for (const name of watched.namesAt(id)) {
      if (names.has(name)) continue;
      const owner = isNameServer ? nameServerOwner(name.labels) : name.labels;
      const isNew = VIEWS.some(
        (view) =>
          // A suffix is guarded for what is below it: nobody goes to the suffix itself.
          (view === 'below' || !name.isSuffix) &&
          blocksName(catalogue, after, owner, view) &&
          !(before !== null && blocksName(catalogue, before, owner, view)),
      );
      if (!isNew) continue;
      if (name.isSuffix) suffixes.set(name.text, name);
      else names.add(name);
    }
  };
  const lookAt = (id: number): void => {
    if (catalogue.isPrefix(id)) lookAtPrefix(id);
    else lookAtName(id);
  };
  if (moves !== null) for (const id of watched.among(moves)) lookAt(id);
  else for (const id of watched.all()) if (stateAt(after.content, id) !== NO_STATE) lookAt(id);
  return {
    names: outermost([...suffixes.values(), ...names]),
    ranges: [...touched],
  };
}

/** Without those that lie below another one, which says enough. */
function outermost(names: readonly GuardedName[]): string[] {
  const suffixes = new Map<string, GuardedName>();
  for (const name of names) suffixes.set(octetKey(name.labels), name);
  const isBelowAnother = ({ labels }: GuardedName): boolean => {
    for (let from = 0; from < labels.length; ) {
      from += labels[from] + 1;
      if (suffixes.has(octetKey(labels.subarray(from)))) return true;
    }
    return false;
  };
  return [...suffixes.values()].filter((name) => !isBelowAnother(name)).map(({ text }) => text);
}

const VIEWS = ['self', 'below'] as const;

/** Whether a query for the name, or for any name below it that has no rule of its own, is blocked. */
function blocksName(
  catalogue: Catalogue,
  { content, rendering }: RpzBody,
  owner: Uint8Array,
  view: (typeof VIEWS)[number],
): boolean {
  const last = isNameServerOwner(owner) ? owner.length - 1 : owner.length;
  for (let from = 0; from <= last; from += (owner[from] ?? 0) + 1) {
    const id = catalogue.findOwner(owner, from, owner.length);
    if (id === NONE) continue;
    const state = stateAt(content, id);
    if (state === NO_STATE) continue;
    // The tree of a zone is closed: what is below a wildcard has both records, so the nearest decides.
    const action = from === 0 && view === 'self' ? selfAction(state) : belowAction(state);
    if (action !== NO_ACTION) return isBlocking(rendering, action);
  }
  return false;
}

/** The longest prefix wins with every resolver. */
function blocksPrefix(catalogue: Catalogue, { content, rendering }: RpzBody, id: number): boolean {
  for (let at = id; at !== NONE; at = catalogue.parent(at)) {
    const action = selfAction(stateAt(content, at));
    if (action !== NO_ACTION) return isBlocking(rendering, action);
  }
  return false;
}

function isBlocking(rendering: RpzRendering, action: ActionNumber): boolean {
  return rendering.rendered(action).action.kind !== 'allow';
}
