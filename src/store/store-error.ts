import Database from 'better-sqlite3';

/** Everything that the store refuses or fails with, in one table. */
export const STORE_ERRORS = {
  'store-full': 'The disk or the database is full',
  'store-io': 'The disk failed',
  'store-read-only': 'The database cannot be written',
  'store-memory': 'The database ran out of memory',
  'store-too-large': 'A value is larger than the database takes',
  'store-constraint': 'The data break a rule of the database',
  'store-corrupt': 'The database is damaged or is no database',
  'store-foreign': 'The database belongs to another program',
  'store-newer': 'The database was written by a newer version of Sluice',
  'store-locked': 'Another process has the database open',
  'owners-out-of-order': 'Owners do not follow the stored ones',
  'image-unfit': 'The image is of owners that are not stored',

  'key-file-unusable': 'The key file cannot be used',
  'key-file-permissions': 'The key file is open to others',
  'key-file-size': 'The key file has the wrong size',
  'key-file-missing': 'The key file is gone',
  'key-file-mismatch': 'The key file does not belong to the database',
  'sealed-row-damaged': 'A sealed row does not open',

  'store-busy': 'Too many requests wait for the database',
  'store-closed': 'The store is closed',
  'store-stopped': 'The thread of the database stopped',
  'store-unexpected': 'The database failed in an unexpected way',
} as const satisfies Record<string, string>;

export type StoreErrorCode = keyof typeof STORE_ERRORS;

/** `sqliteCode` is SQLite's extended result code where SQLite refused, for example `SQLITE_IOERR_WRITE`. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  readonly sqliteCode: string | null;

  constructor(code: StoreErrorCode, detail: string, sqliteCode: string | null = null) {
    super(`${STORE_ERRORS[code]}: ${detail}`);
    this.code = code;
    this.sqliteCode = sqliteCode;
  }
}

/** Primary result codes (https://sqlite.org/rescode.html); an extended code starts with its primary one. */
const CODE_OF_SQLITE: Readonly<Record<string, StoreErrorCode>> = {
  SQLITE_FULL: 'store-full',
  SQLITE_IOERR: 'store-io',
  SQLITE_CANTOPEN: 'store-io',
  SQLITE_READONLY: 'store-read-only',
  SQLITE_PERM: 'store-read-only',
  SQLITE_NOMEM: 'store-memory',
  SQLITE_TOOBIG: 'store-too-large',
  SQLITE_CONSTRAINT: 'store-constraint',
  SQLITE_CORRUPT: 'store-corrupt',
  SQLITE_NOTADB: 'store-corrupt',
  SQLITE_BUSY: 'store-locked',
  SQLITE_LOCKED: 'store-locked',
};

/** What the file system refuses with while files are made; SQLite has codes of its own. */
const CODE_OF_ERRNO: Readonly<Record<string, StoreErrorCode>> = {
  ENOSPC: 'store-full',
  EDQUOT: 'store-full',
  EACCES: 'store-read-only',
  EPERM: 'store-read-only',
  EROFS: 'store-read-only',
};

/** Whatever was thrown, as an error of the table. `subject` says what was being done to what. */
export function toStoreError(thrown: unknown, subject: string): StoreError {
  if (thrown instanceof StoreError) return thrown;
  if (thrown instanceof Database.SqliteError) {
    const primary = thrown.code.split('_', 2).join('_');
    const code = CODE_OF_SQLITE[primary] ?? 'store-unexpected';
    return new StoreError(code, `${subject}: ${thrown.message} (${thrown.code})`, thrown.code);
  }
  if (isSystemError(thrown)) {
    return new StoreError(
      CODE_OF_ERRNO[thrown.code] ?? 'store-io',
      `${subject}: ${thrown.message}`,
    );
  }
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new StoreError('store-unexpected', `${subject}: ${text}`);
}

function isSystemError(thrown: unknown): thrown is Error & { readonly code: string } {
  return thrown instanceof Error && 'syscall' in thrown && 'code' in thrown;
}

/** An error as plain data: instances lose their class and their own fields between threads. */
export interface PlainStoreError {
  readonly code: StoreErrorCode;
  readonly message: string;
  readonly sqliteCode: string | null;
}

export function plainStoreError(error: StoreError): PlainStoreError {
  return { code: error.code, message: error.message, sqliteCode: error.sqliteCode };
}

export function storeErrorFromPlain({ code, message, sqliteCode }: PlainStoreError): StoreError {
  const title = `${STORE_ERRORS[code]}: `;
  return new StoreError(code, message.slice(title.length), sqliteCode);
}
