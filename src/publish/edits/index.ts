/**
 * What lives here: every edit of the model, as functions over a draft. They take untrusted input,
 * check it against all rules, and either change the draft or throw a ModelError that names field,
 * value and rule. The HTTP API and the sample loader both go through them.
 *
 * What doesn't: when and how a draft becomes the model (publish), who may edit (http), how
 * indicators are read (indicators), what a policy means (policy).
 */

export { ACCOUNT_MAXIMA } from './account-limits.ts';
export {
  accountById,
  createAccount,
  deleteAccount,
  openAccount,
  refuseAllViewersButOperator,
  updateAccount,
} from './accounts.ts';
export { actOnServer } from './act-on-server.ts';
export {
  ACTION_CHOICE_KINDS,
  ACTION_KINDS,
  BEHAVIOUR_KINDS,
  LOCAL_RECORDS_MAX,
} from './actions.ts';
export {
  ATTACHMENT_KINDS,
  ATTACHMENTS_MAX,
  attach,
  attachAsTargets,
  type BundleSnapshot,
  changeAttachment,
  detach,
  EXCLUSIONS_MAX,
  excludeTarget,
  includeTarget,
} from './attachments.ts';
export {
  createBehaviour,
  deleteBehaviour,
  updateBehaviour,
  usesBehaviour,
} from './behaviours.ts';
export { createBundle, deleteBundle, targetsOfBundle, updateBundle } from './bundles.ts';
export { CATALOG_CHOICES } from './catalog-handover.ts';
export {
  HOSTNAMES_MAX,
  isHostName,
  NOTIFY_ENDPOINTS_MAX,
  SOURCES_MAX,
} from './device-addresses.ts';
export {
  ASSIGNMENTS_MAX,
  type Assigned,
  assignDevices,
  assignPolicy,
} from './device-assignment.ts';
export {
  ACCESS_MODES,
  createDevice,
  DEVICE_RECORDS_MAX,
  DEVICE_TYPES,
  deleteDevice,
  SCOPES,
  updateDevice,
} from './devices.ts';
export {
  type Edit,
  type EditSettings,
  findBehaviour,
  findBundle,
  findDevice,
  findList,
  findPolicy,
  findTarget,
  notFound,
  seesList,
  seesPolicy,
  type Viewer,
} from './edit.ts';
export {
  findEntitlement,
  grantEntitlement,
  NOTE_LENGTH_MAX,
  nextEntitlementExpiry,
  removeExpiredEntitlements,
  revokeEntitlement,
  updateEntitlement,
} from './entitlements.ts';
export { CREDENTIAL_KINDS } from './feed-credentials.ts';
export { enablePreset } from './feed-presets.ts';
export { CRON_LENGTH_MAX, INTERVAL_SECONDS, JITTER_SECONDS_MAX } from './feed-schedule.ts';
export { FEED_PATH_MAX, SOURCE_KINDS } from './feed-source.ts';
export { TRANSFER_FORMS, ZONE_TEXT_MAX } from './feed-transfer.ts';
export {
  createFeed,
  deleteFeed,
  FEED_GATES,
  FEED_LIMITS,
  findFeed,
  NAMES_AS,
  refuseFeedsUnlessOperator,
  TTL_SECONDS,
  targetOfFeed,
  updateFeed,
} from './feeds.ts';
export { findHeldChange, removeHeldChange } from './held-changes.ts';
export {
  changeIndicators,
  INDICATOR_TEXTS_MAX,
  type IndicatorsChanged,
} from './indicators.ts';
export {
  createKey,
  deleteKey,
  KEY_ALGORITHMS,
  KEY_TRANSFERS_MAX,
  OVERLAP_SECONDS_DEFAULT,
  OVERLAP_SECONDS_MAX,
  type RotatedKeys,
  rotateKeys,
  updateKey,
} from './keys.ts';
export { csvOfEntries, entriesOfCsv } from './list-csv.ts';
export {
  changeEntries,
  type EntriesChanged,
  firstExpiry,
  LIST_ENTRIES_MAX,
  nextEntryExpiry,
  removeExpiredEntries,
} from './list-entries.ts';
export { COMMENT_LENGTH_MAX } from './list-entry.ts';
export { SHARES_MAX, shareList, unshareList } from './list-shares.ts';
export { decodeText, entriesOfText, textOfEntries } from './list-text.ts';
export { createList, deleteList, LIST_ACTIONS, updateList } from './lists.ts';
export { LOCAL_RECORD_TYPES } from './local-record.ts';
export { memberKinds } from './member-kinds.ts';
export { accountOfAdmission, admitIdentity, type ProvedIdentity } from './openid-users.ts';
export {
  createPolicy,
  deletePolicy,
  duplicatePolicy,
  HOSTS_MAX,
  nextNameExpiry,
  POLICY_TYPES,
  removeExpiredNames,
  TTL_MAX,
  updatePolicy,
} from './policies.ts';
export { type Restored, restoreBackup } from './restore.ts';
export { ROLLBACK_ZONES, releasePolicy, rollBackPolicy } from './rollback.ts';
export {
  createSession,
  endSession,
  nextSessionExpiry,
  removeExpiredSessions,
} from './sessions.ts';
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
export {
  changeOwnPassword,
  checkNewPassword,
  createUser,
  deleteUser,
  findUser,
  LOGIN_NAME_LENGTH_MAX,
  logOutUser,
  normalPassword,
  PASSWORD_LENGTH_MAX,
  PASSWORD_LENGTH_MIN,
  rehashPassword,
  setPassword,
  updateUser,
  userByName,
  wrongPassword,
} from './users.ts';
