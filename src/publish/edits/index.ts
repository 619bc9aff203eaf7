/**
 * What lives here: every edit of the model, as functions over a draft. They take untrusted input,
 * check it against all rules, and either change the draft or throw a ModelError that names field,
 * value and rule. The HTTP API and the sample loader both go through them.
 *
 * What doesn't: when and how a draft becomes the model (publish), who may edit (http), how
 * indicators are read (indicators), what a policy means (policy).
 */
export { createAccount } from './accounts.ts';
export { ACTION_KINDS, LOCAL_RECORDS_MAX } from './actions.ts';
export {
  ATTACHMENT_KINDS,
  ATTACHMENTS_MAX,
  attach,
  changeAttachment,
  detach,
  EXCLUSIONS_MAX,
  excludeTarget,
  includeTarget,
} from './attachments.ts';
export { createBundle, deleteBundle, targetsOfBundle, updateBundle } from './bundles.ts';
export { NOTIFY_ENDPOINTS_MAX, SOURCES_MAX } from './device-addresses.ts';
export {
  ACCESS_MODES,
  assignPolicy,
  createDevice,
  DEVICE_TYPES,
  deleteDevice,
  updateDevice,
} from './devices.ts';
export {
  type Edit,
  type EditSettings,
  findBundle,
  findDevice,
  findList,
  findPolicy,
  findTarget,
  notFound,
  seesPolicy,
  type Viewer,
} from './edit.ts';
export {
  changeIndicators,
  INDICATOR_TEXTS_MAX,
  type IndicatorsChanged,
} from './indicators.ts';
export { createKey, deleteKey, KEY_ALGORITHMS } from './keys.ts';
export {
  changeEntries,
  type EntriesChanged,
  entriesOfText,
  LIST_ENTRIES_MAX,
  nextEntryExpiry,
  removeExpiredEntries,
} from './list-entries.ts';
export { COMMENT_LENGTH_MAX } from './list-entry.ts';
export { createList, deleteList, LIST_ACTIONS, updateList } from './lists.ts';
export { LOCAL_RECORD_TYPES } from './local-record.ts';
export { memberKinds } from './member-kinds.ts';
export {
  createPolicy,
  deletePolicy,
  duplicatePolicy,
  HOSTS_MAX,
  POLICY_TYPES,
  TTL_MAX,
  updatePolicy,
} from './policies.ts';
export {
  createTarget,
  DESCRIPTION_LENGTH_MAX,
  deleteTarget,
  NAME_LENGTH_MAX,
  TAG_LENGTH_MAX,
  TAGS_MAX,
  TRAFFIC_TYPES,
  updateTarget,
} from './targets.ts';
export { tcpOnlyNameServerMembers } from './tcp-only-guard.ts';
export { createToken, deleteToken, hashToken, ROLES } from './tokens.ts';
