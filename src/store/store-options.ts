import type { ImageFile } from './image-file.ts';

export interface StoreOptions {
  /** The database file. It and its folder are made when absent, for their owner alone. */
  readonly path: string;
  /** 32 random octets, mode 0600; made when absent. Without it the sealed rows are lost. */
  readonly keyFile: string;
  /** The image of the database, where its reading has been begun ahead (`readImageFile`). */
  readonly image?: Promise<ImageFile | null>;
  /** How long to wait for another process that still has the database open; 3 s by default. */
  readonly lockWaitMs?: number;
  /** Rows of the audit trail that stay, the newest; 100,000 by default. */
  readonly changesKept?: number;
  /** Upper bound of the database in pages of 4 KiB; none by default. */
  readonly pagesMax?: number;
}
