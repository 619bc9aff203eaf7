import { type Catalogue, NONE } from '../indicators/catalogue.ts';
import type { PrefixOrder } from '../indicators/prefix-order.ts';
import { compareRows } from './address-words.ts';
import { label } from './records.ts';
import { NO_STATE, type RpzContent, stateAt } from './rpz-content.ts';

/** A name of an RPZ zone: the labels of `source` from `from` on, lower case, relative to the zone. */
export interface ZoneName {
  readonly source: Uint8Array;
  readonly from: number;
}

/**
 * Whether a name that holds no record itself has others below it, or a wildcard: then it exists
 * (RFC 4592 section 2.2.2). `id` is its owner in the catalogue, or NONE.
 */
export function existsBelow(
  catalogue: Catalogue,
  content: RpzContent,
  name: ZoneName,
  id: number,
): boolean {
  if (id !== NONE && !catalogue.isPrefix(id)) {
    if (stateAt(content, id) !== NO_STATE || namesExistBelow(catalogue, content, id)) return true;
  }
  return addressesExistBelow(catalogue, content, name.source.subarray(name.from));
}

/** Looking through so many owners in vain is remembered: a query must not cost that twice. */
const STEPS_UNREMEMBERED_MAX = 256;
/** Names with so many owners below them are few; beyond this the memory begins anew. */
const REMEMBERED_MAX = 10_000;
const remembered = new WeakMap<RpzContent, Map<number | string, boolean>>();

function rememberLong(
  content: RpzContent,
  key: number | string,
  look: (step: () => void) => boolean,
): boolean {
  const known = remembered.get(content)?.get(key);
  if (known !== undefined) return known;
  let steps = 0;
  const exists = look(() => steps++);
  if (steps > STEPS_UNREMEMBERED_MAX) {
    const results = remembered.get(content) ?? new Map<number | string, boolean>();
    if (results.size >= REMEMBERED_MAX) results.clear();
    remembered.set(content, results.set(key, exists));
  }
  return exists;
}

function namesExistBelow(catalogue: Catalogue, content: RpzContent, id: number): boolean {
  return rememberLong(content, id, (step) =>
    catalogue.someDescendant(id, (below) => {
      step();
      return stateAt(content, below) !== NO_STATE;
    }),
  );
}

const ADDRESS_TRIGGERS = [
  { suffix: label('rpz-ip'), kind: 'ip' },
  { suffix: label('rpz-nsip'), kind: 'nsip' },
  { suffix: label('rpz-client-ip'), kind: 'clientip' },
] as const;

/**
 * Owners of address triggers are no nodes of the catalogue's label tree, since nothing but this
 * question needs their empty non-terminals. What they begin with from the right is the network
 * address, so only prefixes within it are looked at.
 */
function addressesExistBelow(catalogue: Catalogue, content: RpzContent, name: Uint8Array): boolean {
  const trigger = ADDRESS_TRIGGERS.find(({ suffix }) => endsWith(name, suffix));
  if (!trigger) return false;
  const parts = labelTexts(name.subarray(0, name.length - trigger.suffix.length)).reverse();
  return ([4, 6] as const).some((family) => {
    const range = family === 4 ? rangeOfOctets(parts) : rangeOfWords(parts);
    if (range === null) return false;
    const key = `${family} ${Buffer.from(name).toString('latin1')}`;
    return rememberLong(content, key, (step) =>
      someOwnerIn(catalogue.order(trigger.kind, family), range, (id) => {
        step();
        if (stateAt(content, id) === NO_STATE) return false;
        const owner = catalogue.owner(id);
        return owner.length > name.length && endsWith(owner, name);
      }),
    );
  });
}

interface AddressRange {
  readonly first: Uint32Array;
  readonly last: Uint32Array;
}

/** `10.1` from the right: 10.1.0.0 to 10.1.255.255. Null when no IPv4 trigger can end in it. */
function rangeOfOctets(parts: readonly string[]): AddressRange | null {
  if (parts.length > 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) {
    return null;
  }
  const bits = parts.length * 8;
  const value = parts.reduce((sum, part) => sum * 256 + Number(part), 0) * 2 ** (32 - bits);
  return { first: Uint32Array.of(value), last: Uint32Array.of(value + 2 ** (32 - bits) - 1) };
}

/** `2001.db8` from the right; what follows a `zz` says nothing of where the address begins. */
function rangeOfWords(parts: readonly string[]): AddressRange | null {
  const leading = parts.slice(0, parts.includes('zz') ? parts.indexOf('zz') : parts.length);
  if (parts.length > 8 || !leading.every((part) => /^[0-9a-f]{1,4}$/.test(part))) return null;
  const first = new Uint32Array(4);
  const last = new Uint32Array(4).fill(0xffffffff);
  for (const [index, part] of leading.entries()) {
    const shift = index % 2 === 0 ? 16 : 0;
    const word = Number.parseInt(part, 16);
    first[index >> 1] += word * 2 ** shift;
    last[index >> 1] -= (0xffff - word) * 2 ** shift;
  }
  return { first, last };
}

function someOwnerIn(
  order: PrefixOrder,
  { first, last }: AddressRange,
  holds: (id: number) => boolean,
): boolean {
  const address = new Uint32Array(order.words);
  for (let position = order.positionOfAddress(first); position < order.count; position++) {
    const id = order.at(position);
    order.addressOf(id, address);
    if (compareRows(address, 0, last, 0, order.words) > 0) return false;
    if (holds(id)) return true;
  }
  return false;
}

function labelTexts(labels: Uint8Array): string[] {
  const texts: string[] = [];
  for (let at = 0; at < labels.length; at += labels[at] + 1) {
    texts.push(Buffer.from(labels.subarray(at + 1, at + 1 + labels[at])).toString('latin1'));
  }
  return texts;
}

function endsWith(name: Uint8Array, suffix: Uint8Array): boolean {
  const start = name.length - suffix.length;
  if (start < 0) return false;
  for (let index = 0; index < suffix.length; index++) {
    if (name[start + index] !== suffix[index]) return false;
  }
  return true;
}
