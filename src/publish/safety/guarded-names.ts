import type { Catalogue } from '../../indicators/catalogue.ts';
import { grownUint8 } from '../../indicators/growable.ts';
import { parseNameValue } from '../../indicators/parse-name.ts';
import { octetKey } from '../../zone/records.ts';
import type { RpzDiff } from '../../zone/rpz-content.ts';
import type { GuardedRanges } from './guarded-ranges.ts';
import type { SafetySettings } from './warnings.ts';

/** A name that should not be blocked, with its labels in wire form. */
export interface GuardedName {
  readonly text: string;
  readonly labels: Uint8Array;
  /** Whether it stands for all names below it: the root, or a public suffix. */
  readonly isSuffix: boolean;
}

/**
 * The owners of a catalogue that can have to do with something guarded. What an owner is never
 * changes, so each is looked at once in the life of the process and costs one octet from then on.
 */
export interface WatchedOwners {
  /** Those that a difference moves. Policies share differences, so what is found is kept with them. */
  among(moves: RpzDiff): readonly number[];
  /** All that the catalogue has now. */
  all(): readonly number[];
  /** Guarded names that a rule at this owner of a name decides on, itself a suffix among them. */
  namesAt(id: number): readonly GuardedName[];
}

export function watchOwners(options: {
  readonly catalogue: Catalogue;
  readonly safety: Pick<SafetySettings, 'neverBlockNames' | 'isPublicSuffix'>;
  readonly ranges: GuardedRanges;
}): WatchedOwners {
  const { catalogue, safety, ranges } = options;
  const namesByAncestor = namesByAncestors(safety.neverBlockNames);
  let states = new Uint8Array(1024);
  const watched: number[] = [];
  let seen = 0;
  const words = { 4: new Uint32Array(1), 6: new Uint32Array(4) };

  const touchesRange = (id: number): boolean => {
    const address = words[catalogue.prefixFamily(id)];
    catalogue.prefixWords(id, address);
    const family = ranges[address.length === 1 ? 1 : 4];
    return family.touching(address, 0, catalogue.prefixLength(id)).length > 0;
  };
  const namesAt = (id: number): readonly GuardedName[] => {
    const labels = withoutTrigger(catalogue.owner(id));
    const key = octetKey(labels);
    const below = namesByAncestor.get(key) ?? [];
    const text = textOfKey(key);
    const isSuffix = text === '' || (safety.isPublicSuffix(text) && !isReserved(text));
    if (!isSuffix) return below;
    return [{ text: text === '' ? 'the root' : text, labels, isSuffix }, ...below];
  };
  const isWatched = (id: number): boolean => {
    if (id >= states.length) states = grownUint8(states, Math.max(id + 1, catalogue.count));
    if (states[id] === UNKNOWN) {
      const isGuarded = catalogue.isPrefix(id) ? touchesRange(id) : namesAt(id).length > 0;
      states[id] = isGuarded ? WATCHED : HARMLESS;
      if (isGuarded) watched.push(id);
    }
    return states[id] === WATCHED;
  };
  const found = new WeakMap<RpzDiff, readonly number[]>();
  return {
    namesAt,
    among(moves) {
      const known = found.get(moves);
      if (known !== undefined) return known;
      const among: number[] = [];
      for (const { ids } of moves) {
        // One octet is read per id: thousands of ids cost microseconds.
        for (let index = 0; index < ids.length; index++) {
          if (isWatched(ids[index])) among.push(ids[index]);
        }
      }
      found.set(moves, among);
      return among;
    },
    all() {
      for (; seen < catalogue.count; seen++) isWatched(seen);
      return watched;
    },
  };
}

/**
 * The name as its suffixes are looked up: every owner of the catalogue comes through here once, so no
 * octet is escaped. What needs that is no public suffix.
 */
function textOfKey(key: string): string {
  let text = '';
  for (let at = 0; at < key.length; ) {
    const end = at + 1 + key.charCodeAt(at);
    text += at === 0 ? key.slice(1, end) : `.${key.slice(at + 1, end)}`;
    at = end;
  }
  return text;
}

const UNKNOWN = 0;
const HARMLESS = 1;
const WATCHED = 2;

/** Where the names of name servers are kept: `ns.example.com.rpz-nsdname`. */
const NSDNAME = Uint8Array.from([11, ...Buffer.from('rpz-nsdname', 'latin1')]);

/** Whether the owner is that of a trigger on name server names. */
export function isNameServerOwner(owner: Uint8Array): boolean {
  const from = owner.length - NSDNAME.length;
  return from >= 0 && NSDNAME.every((octet, index) => owner[from + index] === octet);
}

/** The labels as a name server's owner has them. */
export function nameServerOwner(labels: Uint8Array): Uint8Array {
  return Uint8Array.from([...labels, ...NSDNAME]);
}

function withoutTrigger(owner: Uint8Array): Uint8Array {
  return isNameServerOwner(owner) ? owner.subarray(0, owner.length - NSDNAME.length) : owner;
}

/** RFC 2606 and RFC 6761: names for examples and tests, which nothing real depends on. */
const RESERVED = /(^|\.)(example|test|invalid)$/;

function isReserved(name: string): boolean {
  return RESERVED.test(name);
}

/** Every guarded name under the octets of itself and of each name above it, the root included. */
function namesByAncestors(names: readonly string[]): ReadonlyMap<string, readonly GuardedName[]> {
  const byAncestor = new Map<string, GuardedName[]>();
  for (const text of names) {
    const parsed = parseNameValue(text, false);
    if (!parsed.ok || parsed.wildcard) throw new Error(`${text} is no name`);
    const name: GuardedName = { text, labels: parsed.key, isSuffix: false };
    for (let from = 0; from <= name.labels.length; from += (name.labels[from] ?? 0) + 1) {
      const key = octetKey(name.labels.subarray(from));
      const known = byAncestor.get(key);
      if (known === undefined) byAncestor.set(key, [name]);
      else known.push(name);
    }
  }
  return byAncestor;
}
