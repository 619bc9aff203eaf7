/**
 * An account as one document, and what such a document looks like. It names everything by name and
 * holds no secret.
 *
 * Here: its form and how it is written. Not here: how it is restored, which is an edit like any
 * other (edits/restore.ts), and who may ask for it (http/).
 */
export {
  BACKUP_FORMAT,
  BACKUP_VERSION,
  type BackupAction,
  type BackupAttachment,
  type BackupCatalogue,
  type BackupDevice,
  type BackupDocument,
  type BackupList,
  type BackupPolicy,
  type BackupTarget,
} from './backup-document.ts';
export { backupText } from './write-backup.ts';
