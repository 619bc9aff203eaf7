import type { ThreadProgram } from '../threads/index.ts';
import type { SqliteStore } from './sqlite-store.ts';
import type { PlainStoreError } from './store-error.ts';
import type { StoreOptions } from './store-options.ts';

export type StoreMethod = keyof SqliteStore;

/** What the thread starts with. */
export interface StoreThreadData extends ThreadProgram {
  readonly options: Omit<StoreOptions, 'image'>;
}

/** What the thread of the database is asked for. Answers come in the order of the requests. */
export interface StoreRequest {
  readonly id: number;
  readonly method: StoreMethod;
  readonly args: readonly unknown[];
}

/** The answer to request `id`; the thread sends OPENING_ID unasked, when the database is open or failed to. */
export type StoreAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: PlainStoreError };

export const OPENING_ID = 0;
