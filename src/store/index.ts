/**
 * SQLite behind the store's interface of publish/ (store-port.ts): migrations, statements, the
 * journal of revisions, the outbox of NOTIFYs, the audit trail, and the vault that seals secrets.
 *
 * Here: how bytes and JSON reach the disk whole. Not here: what they mean. The blobs (owners,
 * members, revisions) are publish's own encodings, and the serials are its decision.
 *
 * The database has a thread of its own (`open-store.ts` talks to `store-worker.ts`), except while a
 * server starts, which has to wait for it anyway; the work itself is synchronous (`sqlite-store.ts`).
 * Beside it lies an image of what publish made of the owners (`image-file.ts`), which may be deleted. Everything is acknowledged only when it is on disk: the log is
 * flushed with every transaction (WAL with synchronous=FULL), because a serial that anyone saw must
 * survive a power cut.
 */
export { type ImageFile, imagePath, readImageFile } from './image-file.ts';
export { openStore, openStoreHere } from './open-store.ts';
export { STORE_ERRORS, StoreError, type StoreErrorCode } from './store-error.ts';
export type { StoreOptions } from './store-options.ts';
