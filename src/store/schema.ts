/** `SLUC`: marks our files, so that a wrong path in the settings never alters another program's. */
export const APPLICATION_ID = 0x534c5543;

/**
 * The tables as version 1 made them. STRICT keeps a wrong type out; a table whose rows are small and
 * always found by their primary key is WITHOUT ROWID, the others keep large values out of the tree.
 *
 * Blobs are stored as they come, whatever their size: 25 MB in one row were read in 29 ms, in
 * twenty-five rows in 15 ms (SQLite 3.54), which is not worth a second table for the pieces.
 */
export const FIRST_TABLES = `
-- One row, sealed with the key file: tells at the start whether the file is the right one.
CREATE TABLE vault (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  sealed BLOB NOT NULL
) STRICT;

CREATE TABLE entity (
  kind TEXT NOT NULL,
  id INTEGER NOT NULL,
  body TEXT,
  sealed BLOB,
  PRIMARY KEY (kind, id),
  CHECK ((body IS NULL) <> (sealed IS NULL)),
  -- The last guard: no secret in clear, whatever the program does.
  CHECK (kind <> 'key' OR body IS NULL)
) STRICT;

CREATE TABLE next_id (
  kind TEXT PRIMARY KEY,
  next_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE owner_segment (
  first_id INTEGER PRIMARY KEY,
  count INTEGER NOT NULL CHECK (count > 0),
  bytes BLOB NOT NULL
) STRICT;

-- Checked at the end of the transaction: members may come before the entity that they belong to.
CREATE TABLE member_base (
  holder_kind TEXT NOT NULL,
  holder_id INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (holder_kind, holder_id),
  FOREIGN KEY (holder_kind, holder_id) REFERENCES entity (kind, id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE member_delta (
  sequence INTEGER PRIMARY KEY,
  holder_kind TEXT NOT NULL,
  holder_id INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  FOREIGN KEY (holder_kind, holder_id) REFERENCES entity (kind, id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX member_delta_of_holder ON member_delta (holder_kind, holder_id);

CREATE TABLE list_entry (
  list_kind TEXT GENERATED ALWAYS AS ('list') VIRTUAL,
  list_id INTEGER NOT NULL,
  value TEXT NOT NULL,
  comment TEXT NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (list_id, value),
  FOREIGN KEY (list_kind, list_id) REFERENCES entity (kind, id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

-- zone_id is the store's own: a number in a thousand revisions and their index instead of a name.
CREATE TABLE zone (
  zone_id INTEGER PRIMARY KEY,
  origin TEXT NOT NULL UNIQUE,
  live INTEGER NOT NULL CHECK (live IN (0, 1)),
  serial INTEGER NOT NULL CHECK (serial BETWEEN 0 AND 4294967295),
  state TEXT NOT NULL
) STRICT;

-- In the order of their commits, so that new rows go to the end: a clustered table (zone, sequence)
-- took 169 ms for a thousand revisions of 4 KB, this one 29 ms.
CREATE TABLE revision (
  sequence INTEGER PRIMARY KEY,
  zone_id INTEGER NOT NULL REFERENCES zone (zone_id),
  from_serial INTEGER NOT NULL CHECK (from_serial BETWEEN 0 AND 4294967295),
  to_serial INTEGER NOT NULL CHECK (to_serial BETWEEN 0 AND 4294967295),
  at INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX revision_of_zone ON revision (zone_id);

CREATE TABLE outbox (
  device_id INTEGER NOT NULL,
  origin TEXT NOT NULL,
  address TEXT NOT NULL,
  port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
  serial INTEGER NOT NULL CHECK (serial BETWEEN 0 AND 4294967295),
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  -- When the endpoint came to be owed something: stays when a newer serial replaces an older one.
  owed_since INTEGER NOT NULL,
  PRIMARY KEY (device_id, origin, address, port)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (next_attempt_at);

CREATE TABLE device_zone_status (
  device_id INTEGER NOT NULL,
  origin TEXT NOT NULL,
  notified_serial INTEGER,
  notified_at INTEGER,
  notified_address TEXT,
  polled_serial INTEGER,
  polled_at INTEGER,
  polled_address TEXT,
  transferred_serial INTEGER,
  transferred_at INTEGER,
  transferred_address TEXT,
  transfer_kind TEXT,
  transfer_bytes INTEGER,
  PRIMARY KEY (device_id, origin)
) STRICT, WITHOUT ROWID;

CREATE TABLE change_log (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
`;

/**
 * What version 2 added: differences that zones share, the history of members, pinned content, and an
 * audit trail that can be searched. What version 1 stored keeps its meaning: its differences get a
 * row each, its list entries say 0 for when they came, its changes belong to the server itself.
 */
export const SECOND_TABLES = `
ALTER TABLE entity ADD CONSTRAINT user_is_sealed CHECK (kind <> 'user' OR body IS NULL);

ALTER TABLE list_entry ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;

-- Zones that carry the same content step on by the same difference, which is stored once. A commit of
-- a thousand revisions that share 4 KB takes 6 ms, and 16 when each zone is pruned to 100 as well (50
-- with a copy each).
CREATE TABLE revision_diff (
  diff_id INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;
INSERT INTO revision_diff (diff_id, bytes) SELECT sequence, bytes FROM revision;

CREATE TABLE revision_with_diff (
  sequence INTEGER PRIMARY KEY,
  zone_id INTEGER NOT NULL REFERENCES zone (zone_id),
  from_serial INTEGER NOT NULL CHECK (from_serial BETWEEN 0 AND 4294967295),
  to_serial INTEGER NOT NULL CHECK (to_serial BETWEEN 0 AND 4294967295),
  at INTEGER NOT NULL,
  diff_id INTEGER NOT NULL REFERENCES revision_diff (diff_id)
) STRICT;
INSERT INTO revision_with_diff (sequence, zone_id, from_serial, to_serial, at, diff_id)
  SELECT sequence, zone_id, from_serial, to_serial, at, sequence FROM revision;
DROP TABLE revision;
ALTER TABLE revision_with_diff RENAME TO revision;
CREATE INDEX revision_of_zone ON revision (zone_id);
CREATE INDEX revision_of_diff ON revision (diff_id);

-- number counts the rows of one holder, so that finding those too many needs no counting. The small
-- columns come first: sizes over time are read without the pages of the ids.
CREATE TABLE member_history (
  sequence INTEGER PRIMARY KEY,
  holder_kind TEXT NOT NULL,
  holder_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
  added INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  size INTEGER NOT NULL,
  delta BLOB NOT NULL,
  seen BLOB,
  absent BLOB,
  UNIQUE (holder_kind, holder_id, number),
  FOREIGN KEY (holder_kind, holder_id) REFERENCES entity (kind, id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- What single indicators of a holder say of themselves, in publish's own encoding.
CREATE TABLE member_notes (
  holder_kind TEXT NOT NULL,
  holder_id INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (holder_kind, holder_id),
  FOREIGN KEY (holder_kind, holder_id) REFERENCES entity (kind, id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- How the runs of a feed stand: kept apart from the feed itself, which only people change.
CREATE TABLE feed_state (
  feed_id INTEGER PRIMARY KEY,
  feed_kind TEXT GENERATED ALWAYS AS ('feed') VIRTUAL,
  body TEXT NOT NULL,
  held BLOB,
  FOREIGN KEY (feed_kind, feed_id) REFERENCES entity (kind, id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE pin (
  policy_id INTEGER PRIMARY KEY,
  policy_kind TEXT GENERATED ALWAYS AS ('policy') VIRTUAL,
  bytes BLOB NOT NULL,
  FOREIGN KEY (policy_kind, policy_id) REFERENCES entity (kind, id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;

ALTER TABLE change_log ADD COLUMN account_id INTEGER;
-- All that is searched, without the bodies and in the order of reading: whatever is asked for, one
-- pass decides.
CREATE INDEX change_log_search ON change_log (sequence, at, account_id, actor, action);

CREATE TABLE change_subject (
  kind TEXT NOT NULL,
  id INTEGER NOT NULL,
  sequence INTEGER NOT NULL REFERENCES change_log (sequence) ON DELETE CASCADE,
  PRIMARY KEY (kind, id, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_subject_of_change ON change_subject (sequence);

-- Whose things and zones a change touched, whoever made it. By sequence first: rows come to the end,
-- go with their change, and are looked up by both.
CREATE TABLE change_account (
  sequence INTEGER NOT NULL REFERENCES change_log (sequence) ON DELETE CASCADE,
  account_id INTEGER NOT NULL,
  PRIMARY KEY (sequence, account_id)
) STRICT, WITHOUT ROWID;
`;

/** When each TSIG key was used. What an older version stored says nothing of it. */
export const KEY_USE_TABLE = `
CREATE TABLE key_use (
  key_id INTEGER PRIMARY KEY,
  key_kind TEXT GENERATED ALWAYS AS ('key') VIRTUAL,
  first_used_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  last_used_from TEXT NOT NULL,
  uses INTEGER NOT NULL,
  FOREIGN KEY (key_kind, key_id) REFERENCES entity (kind, id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;
`;

/** The ZONEMD of the serial that a revision leads away from. Zones had none when older versions stored theirs. */
export const DIGEST_COLUMN = `
ALTER TABLE revision ADD COLUMN from_digest BLOB;
`;

/** What a device proved to hold, and what went wrong with it. Until it asks again, that is what it transferred. */
export const CONVERGENCE_COLUMNS = `
ALTER TABLE device_zone_status ADD COLUMN notify_problem TEXT;
ALTER TABLE device_zone_status ADD COLUMN notify_problem_at INTEGER;
ALTER TABLE device_zone_status ADD COLUMN notify_problem_address TEXT;
ALTER TABLE device_zone_status ADD COLUMN cut_serial INTEGER;
ALTER TABLE device_zone_status ADD COLUMN cut_at INTEGER;
ALTER TABLE device_zone_status ADD COLUMN cut_address TEXT;
ALTER TABLE device_zone_status ADD COLUMN held_serial INTEGER;
ALTER TABLE device_zone_status ADD COLUMN held_at INTEGER;
UPDATE device_zone_status SET held_serial = transferred_serial, held_at = transferred_at;
`;

/** A hash of a segment and of all before it (owner-chain.ts): by it an image is known to fit. */
export const OWNER_CHAIN_COLUMN = `
ALTER TABLE owner_segment ADD COLUMN chain BLOB;
`;

/** How urgent a NOTIFY is, from 0 to 5. */
export const URGENCY_COLUMN = `
ALTER TABLE outbox ADD COLUMN urgency INTEGER NOT NULL DEFAULT 0;
`;
