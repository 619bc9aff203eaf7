import { createHash } from 'node:crypto';
import type {
  Commit,
  OutboxRow,
  StoredHistory,
  StoredState,
} from '../../../src/publish/store-port.ts';

/**
 * Commits of a sequence in which every table gets something that follows from the number alone, so
 * that the whole state after commit n can be computed and compared.
 */
const ZONES = 5;
const OWNERS_EACH = 3;
const REVISIONS_KEPT = 4;
/** Every so many commits the members get a new base, and a list all new entries. */
const BASE_EVERY = 16;
const TARGET = { kind: 'target', id: 1 } as const;
const POLICY = { kind: 'policy', id: 1 } as const;
const LIST_ID = 1;
/** All zones but the last share a difference. */
const DIFFS_EACH = 2;
const diffPlace = (zone: number) => (zone === ZONES - 1 ? 1 : 0);

const origin = (zone: number) => `rpz.p${zone}.a.example.`;
const zonesOf = () => Array.from({ length: ZONES }, (_, zone) => zone);

/** Octets that only this number and purpose have; sizes from a few to 40,000 octets. */
function octets(purpose: string, number: number): Uint8Array {
  const seed = createHash('sha256').update(`${purpose} ${number}`).digest();
  const size = number % 7 === 0 ? 40_000 : seed[0] * 16 + 1;
  return new Uint8Array(size).map((_, at) => seed[at % seed.length] ^ (at >> 5));
}

const entityOf = (number: number) => ({ ...TARGET, body: `{"n":${number}}` });
const keyOf = (number: number) =>
  ({ kind: 'key', id: (number % 3) + 1, body: `key ${number}` }) as const;
const listOf = (number: number) => ({ kind: 'list', id: LIST_ID, body: `list ${number}` }) as const;
const policyOf = (number: number) => ({ ...POLICY, body: `policy ${number}` });
const entryOf = (number: number) => ({
  listId: LIST_ID,
  value: `${String(number).padStart(9, '0')}.example`,
  comment: `entry ${number}`,
  expiresAt: number,
  createdAt: number - 1,
});
const zoneOf = (zone: number, number: number) => ({
  origin: origin(zone),
  live: number % 2 === 0,
  serial: number,
  state: `state ${number}`,
});
const revisionOf = (zone: number, number: number) => ({
  origin: origin(zone),
  fromSerial: number - 1,
  toSerial: number,
  at: number,
  diff: diffPlace(zone),
  fromDigest: octets(`digest ${zone}`, number - 1),
});
const diffsOf = (number: number) =>
  Array.from({ length: DIFFS_EACH }, (_, place) => octets(`diff ${place}`, number));
/** The store numbers differences from 1; those of the newest commits stay, so no number comes twice. */
const diffId = (place: number, number: number) => (number - 1) * DIFFS_EACH + place + 1;
const historyOf = (number: number) => ({
  holder: TARGET,
  at: number,
  whole: number % 2 === 0,
  added: number,
  removed: 0,
  size: number,
  delta: octets('history', number),
  seen: number % 3 === 0 ? octets('seen', number) : null,
  absent: number % 4 === 0 ? octets('absent', number) : null,
});
const pinOf = (number: number) => ({ policyId: POLICY.id, bytes: octets('pin', number) });
const notifyOf = (zone: number, number: number) => ({
  deviceId: 1,
  origin: origin(zone),
  address: '192.0.2.1',
  port: 53,
  serial: number,
});

/** Commit `number`, counted from 1. */
export function commitNumber(number: number): Commit {
  const startsAnew = number % BASE_EVERY === 1;
  const bytes = octets('members', number);
  return {
    change: {
      at: number,
      actor: 'loop',
      action: `commit ${number}`,
      accountId: number,
      subjects: [TARGET],
      accountIds: [],
      body: '{}',
    },
    putEntities: [entityOf(number), keyOf(number), listOf(number), policyOf(number)],
    deleteEntities: [],
    nextIds: [{ kind: 'target', nextId: number }],
    owners: {
      firstId: (number - 1) * OWNERS_EACH,
      count: OWNERS_EACH,
      bytes: octets('owners', number),
    },
    members: [startsAnew ? { holder: TARGET, base: bytes } : { holder: TARGET, delta: bytes }],
    deleteMembers: [],
    putListEntries: [entryOf(number)],
    deleteListEntries: [],
    clearLists: startsAnew ? [LIST_ID] : [],
    history: [historyOf(number)],
    putNotes: [],
    putPins: [pinOf(number)],
    deletePins: [],
    zones: zonesOf().map((zone) => zoneOf(zone, number)),
    diffs: diffsOf(number),
    revisions: zonesOf().map((zone) => revisionOf(zone, number)),
    pruneRevisions: zonesOf().map((zone) => ({ origin: origin(zone), keep: REVISIONS_KEPT })),
    notifies: zonesOf().map((zone) => notifyOf(zone, number)),
    forgetNotifies: [],
  };
}

/** The number of the last commit in a state; 0 for an empty one. */
export function numberOf(state: StoredState): number {
  return state.nextIds.find(({ kind }) => kind === 'target')?.nextId ?? 0;
}

/** What load() gives after the commits 1 to `number`. */
export function stateAfter(number: number): StoredState {
  const upTo = (count: number) =>
    Array.from(
      { length: Math.min(count, number) },
      (_, n) => number - Math.min(count, number) + n + 1,
    );
  if (number === 0) {
    const empty = { entities: [], nextIds: [], owners: [], members: [] };
    return { ...empty, listEntries: [], pins: [], zones: [], diffs: [], revisions: [] };
  }
  const sinceBase = upTo(((number - 1) % BASE_EVERY) + 1);
  const keys = upTo(3)
    .map(keyOf)
    .sort((a, b) => a.id - b.id);
  return {
    entities: [...keys, listOf(number), policyOf(number), entityOf(number)],
    nextIds: [{ kind: 'target', nextId: number }],
    owners: upTo(number).map((n) => ({
      firstId: (n - 1) * OWNERS_EACH,
      count: OWNERS_EACH,
      bytes: octets('owners', n),
    })),
    members: [
      {
        holder: TARGET,
        base: octets('members', sinceBase[0]),
        deltas: sinceBase.slice(1).map((n) => octets('members', n)),
      },
    ],
    listEntries: sinceBase.map(entryOf),
    pins: [pinOf(number)],
    zones: zonesOf().map((zone) => zoneOf(zone, number)),
    diffs: upTo(REVISIONS_KEPT).flatMap((n) =>
      diffsOf(n).map((bytes, place) => ({ id: diffId(place, n), bytes })),
    ),
    revisions: zonesOf().flatMap((zone) =>
      upTo(REVISIONS_KEPT).map((n) => ({
        ...revisionOf(zone, n),
        diff: diffId(diffPlace(zone), n),
      })),
    ),
  };
}

/** What allHistory() gives after the commits 1 to `number`. */
export function historyAfter(number: number): StoredHistory[] {
  return Array.from({ length: number }, (_, n) => historyOf(n + 1));
}

/** What the outbox holds after the commits 1 to `number`. */
export function outboxAfter(number: number): OutboxRow[] {
  if (number === 0) return [];
  return zonesOf().map((zone) => ({
    ...notifyOf(zone, number),
    attempts: 0,
    nextAttemptAt: number,
  }));
}
