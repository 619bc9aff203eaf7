import { setImmediate as nextTurn } from 'node:timers/promises';
import { Catalogue } from '../indicators/catalogue.ts';
import { type IdSet, idSetOctets } from '../indicators/id-set.ts';
import { readIdSets, writeIdSets } from '../indicators/id-set-image.ts';
import { createImageReader, createImageWriter } from '../indicators/memory-image.ts';
import type { RpzContent, RpzState } from '../zone/rpz-content.ts';
import { contentKey } from './content-key.ts';
import { storeOwners } from './intern-slices.ts';
import type { Ledger, PublishedState } from './state.ts';
import type { StateImage, Store, StoredImage } from './store-port.ts';

/** Rises when a catalogue lies in memory in another way than before: older images are then passed over. */
export const IMAGE_VERSION = 3;

/** Below so many owners a start is quick without an image. */
const OWNERS_MIN = 10_000;
/** While the server runs, an image is written when so large a share of the owners has come since. */
const GROWTH_SHARE = 1 / 8;

/** The rules of policies are kept up to so much; those that do not fit are compiled at the start. */
const CONTENT_OCTETS_MAX = 256 * 1024 * 1024;

interface Head {
  readonly numbers: readonly number[];
  /** Whose rules there are, in the order of their sets: one for each state. */
  readonly contents: readonly {
    readonly policyId: number;
    readonly key: string;
    readonly states: readonly number[];
  }[];
}

/** What an image holds. */
export interface Imaged {
  readonly catalogue: Catalogue;
  /** The rules of DNS policies, each with the key of what they were compiled from. */
  readonly contents: ReadonlyMap<number, { readonly key: string; readonly content: RpzContent }>;
}

/** Reads an image. Throws when it does not fit together. */
export function readStateImage(image: StoredImage): Imaged {
  const { numbers, contents } = JSON.parse(image.head) as Head;
  const reader = createImageReader(numbers, image.parts);
  const catalogue = Catalogue.fromImage(reader);
  if (catalogue.count !== image.owners)
    throw new Error(`the image of ${image.owners} owners has ${catalogue.count}`);
  const sets = readIdSets(reader)[Symbol.iterator]();
  const read = contents.map(({ policyId, key, states }) => {
    const content = new Map(states.map((state) => [state as RpzState, sets.next().value!]));
    return [policyId, { key, content }] as const;
  });
  return { catalogue, contents: new Map(read) };
}

/** In steps, so that questions are answered in between. Nothing may change meanwhile. */
async function writeStateImage(
  { catalogue }: Ledger,
  { compiled }: PublishedState,
): Promise<StateImage> {
  const writer = createImageWriter();
  for (const _ of catalogue.writeImage(writer)) await nextTurn();
  const contents: Head['contents'][number][] = [];
  const sets: IdSet[] = [];
  let octets = 0;
  for (const [policyId, policy] of compiled) {
    if (policy.kind !== 'dns') continue;
    const { members, rendering, content } = policy;
    const own = [...content.values()];
    octets += own.reduce((sum, ids) => sum + idSetOctets(ids), 0);
    if (octets > CONTENT_OCTETS_MAX) break;
    contents.push({ policyId, key: contentKey(members, rendering), states: [...content.keys()] });
    sets.push(...own);
    await nextTurn();
  }
  writeIdSets(writer, sets);
  const { numbers, parts } = writer.image;
  const head: Head = { numbers, contents };
  return { version: IMAGE_VERSION, owners: catalogue.count, head: JSON.stringify(head), parts };
}

/** Keeps an image of the catalogue beside the database, so that the next start need not make it anew. */
export interface ImageKeeper {
  /** Writes one if many owners have come. Takes its turn among the edits, and never rejects. */
  look(): void;
  /** Writes the last one; no edit may be under way. Never rejects. */
  close(): Promise<void>;
}

export function createImageKeeper(options: {
  readonly ledger: Ledger;
  readonly state: () => PublishedState;
  readonly store: Pick<Store, 'putOwners' | 'saveImage'>;
  readonly inTurn: (run: () => Promise<void>) => Promise<void>;
  /** Owners of the image that the start was made from; 0 without one. */
  readonly imaged: number;
  readonly onError: ((error: unknown) => void) | undefined;
}): ImageKeeper {
  const { ledger, state, store, inTurn, onError } = options;
  let { imaged } = options;
  /** Policies as they are in the image; as a start compiled them is near enough. */
  let { compiled } = state();
  let isAsked = false;

  const save = async (): Promise<void> => {
    const { catalogue } = ledger;
    // What dry runs and refused edits brought in is part of the catalogue, and so of its image.
    await storeOwners(ledger, store);
    const compiledNow = state().compiled;
    await store.saveImage(await writeStateImage(ledger, state()));
    [imaged, compiled] = [catalogue.count, compiledNow];
  };
  return {
    look() {
      const growth = ledger.catalogue.count - imaged;
      if (isAsked || growth < Math.max(OWNERS_MIN, imaged * GROWTH_SHARE)) return;
      isAsked = true;
      inTurn(save)
        // Once it did not work it is not tried again with every edit, but at the end.
        .then(() => {
          isAsked = false;
        })
        .catch((error: unknown) => onError?.(error));
    },
    async close() {
      if (ledger.catalogue.count < OWNERS_MIN) return;
      if (ledger.catalogue.count === imaged && state().compiled === compiled) return;
      await save().catch((error: unknown) => onError?.(error));
    },
  };
}
