import type { TsigKey } from '../dns/tsig.ts';
import type { Observer } from '../nameserver/directory-port.ts';
import type { KeyId, Model } from '../policy/model.ts';
import { indexOfKeys } from './key-index.ts';
import type { KeyUse, Store } from './store-port.ts';

/**
 * When and from where each TSIG key of a device was used: signed questions that were answered, and
 * signed acknowledgements of NOTIFYs. They come in at the pace of queries, so they are gathered here
 * and written to the store now and then. There is a row for a key of the model and for no other, so
 * that the number of keys bounds it.
 */
export interface KeyBook extends Pick<Observer, 'polled' | 'transferred'> {
  acknowledged(event: {
    /** What the acknowledgement was signed with; null when it was not signed. */
    readonly key: TsigKey | null;
    readonly address: string;
    readonly at: number;
  }): void;
  /** Undefined for a key that was never used. */
  useOf(keyId: KeyId): KeyUse | undefined;
  /** Forgets keys that have ended. Their rows in the store went with them. */
  forgetEnded(): void;
  /** Writes what has changed since the last time. */
  flush(): Promise<void>;
}

export async function openKeyBook(options: {
  readonly store: Pick<Store, 'keyUses' | 'putKeyUses'>;
  /** The model that is published now. */
  readonly model: () => Pick<Model, 'keys'>;
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** Called with the first use of each key. */
  readonly onFirstUse: () => void;
}): Promise<KeyBook> {
  const { store, model, clock, onFirstUse } = options;
  const rows = new Map<KeyId, Row>();
  /** To be written. */
  const changed = new Set<KeyId>();
  for (const row of await store.keyUses()) {
    const keyId = row.keyId as KeyId;
    if (model().keys.has(keyId)) rows.set(keyId, { ...row });
  }
  /** Signed questions come by the thousand from the same few objects, each of which is one key for good. */
  const idOf = new WeakMap<TsigKey, KeyId>();
  const findId = (key: TsigKey): KeyId | undefined => {
    const known = idOf.get(key);
    if (known !== undefined) return known;
    const found = indexOfKeys(model().keys).ofTsigKey(key)?.id;
    if (found !== undefined) idOf.set(key, found);
    return found;
  };
  let swept = model().keys;

  const used = (key: TsigKey | null, address: string, at: number): void => {
    const keyId = key === null ? undefined : findId(key);
    // A transfer may end after its key did.
    if (keyId === undefined || !model().keys.has(keyId)) return;
    changed.add(keyId);
    const row = rows.get(keyId);
    if (row === undefined) {
      rows.set(keyId, { keyId, firstUsedAt: at, lastUsedAt: at, lastUsedFrom: address, uses: 1 });
      onFirstUse();
      return;
    }
    row.uses += 1;
    row.firstUsedAt = Math.min(row.firstUsedAt, at);
    if (at < row.lastUsedAt) return;
    row.lastUsedAt = at;
    row.lastUsedFrom = address;
  };

  return {
    polled: ({ key, address }) => used(key, address, clock()),
    // It is told of when it ends, and what counts is when it was asked for.
    transferred: ({ key, address, durationMs }) =>
      used(key, address, clock() - Math.round(durationMs)),
    acknowledged: ({ key, address, at }) => used(key, address, at),
    useOf: (keyId) => rows.get(keyId),
    forgetEnded() {
      const { keys } = model();
      if (keys === swept) return;
      swept = keys;
      for (const keyId of rows.keys()) if (!keys.has(keyId)) rows.delete(keyId);
    },
    async flush() {
      const due = [...changed];
      changed.clear();
      const uses = due.flatMap((keyId) => rows.get(keyId) ?? []);
      try {
        if (uses.length > 0) await store.putKeyUses(uses);
      } catch (error) {
        for (const keyId of due) changed.add(keyId);
        throw error;
      }
    },
  };
}

type Row = { -readonly [Field in keyof KeyUse]: KeyUse[Field] };
