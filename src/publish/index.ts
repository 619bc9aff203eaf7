/**
 * The one writer. Every edit runs through the same visible order: draft, resolve, difference, next
 * serials, commit, swap, NOTIFY. Nobody hears a serial that is not on disk, and an edit that fails
 * anywhere leaves everything as it was.
 *
 * Here: that order, the edits themselves (edits/), the interface of the store, what is kept of each
 * revision, and the views that readers take of the published state. Not here: SQL (store/), sockets
 * (server/, notify/), requests of people (http/).
 */
export { BEHIND_REASONS, type BehindReason } from './behind-reason.ts';
export { type Convergence, createConvergence, type ZoneConvergence } from './convergence.ts';
export {
  type ConvergenceSummary,
  EMPTY_SUMMARY,
  summariseConvergence,
} from './convergence-summary.ts';
export {
  createPublisher,
  type PublisherOptions,
  type RunningPublisher,
} from './create-publisher.ts';
export { type DeviceIdentities, indexIdentities } from './device-identities.ts';
export { type DeviceStatusBook, openDeviceStatusBook } from './device-status.ts';
export { createDirectory } from './directory.ts';
export { hostNamesInUse } from './host-names.ts';
export { type KeyBook, openKeyBook } from './key-book.ts';
export { keyForNotify } from './key-for-notify.ts';
export { type KeyRetirement, startKeyRetirement } from './key-retirement.ts';
export type {
  Explanation,
  MemberChange,
  ModelDraft,
  Published,
  Publisher,
  ZoneChange,
  ZoneSummary,
} from './publisher.ts';
export { createRefusalBook, type RefusalBook, type RefusalStatistics } from './refusal-book.ts';
export type { SafetySettings } from './safety/warnings.ts';
export type { PublishedState } from './state.ts';
export type { Commit, Store, StoredState } from './store-port.ts';
export type { ZoneDefaults } from './zone-names.ts';
