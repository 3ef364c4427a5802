/**
 * Version 3: the hotlist as the issuer's log, entry by entry (PROTOCOL.md, Hotlist). What the last bulletin carried inline
 * stays in force, as of that bulletin, until the first log has come.
 */
export const hotlistMigration = `
-- The newest entry of a card at or below the position in force says whether it is listed. Lists that are neither in force
-- nor arriving are refuse, and go bit by bit.
CREATE TABLE hotlist (
  list      INTEGER NOT NULL,
  card_id   BLOB    NOT NULL CHECK (length(card_id) = 8),
  position  INTEGER NOT NULL CHECK (position >= 1),
  listed    INTEGER NOT NULL CHECK (listed IN (0, 1)),
  block_mac BLOB    CHECK (block_mac IS NULL OR length(block_mac) = 16),
  PRIMARY KEY (list, card_id, position)
) STRICT, WITHOUT ROWID;

-- How far each log was read: the one in force was verified up to a signed head, the arriving one not yet.
CREATE TABLE hotlist_log (
  role       TEXT    PRIMARY KEY CHECK (role IN ('inForce', 'arriving')),
  list       INTEGER NOT NULL,
  -- 0: from before there were logs.
  generation INTEGER NOT NULL,
  count      INTEGER NOT NULL CHECK (count >= 0),
  head       BLOB    NOT NULL CHECK (length(head) = 32),
  -- Signed times of the newest bulletin that names exactly this log; 0 while it arrives.
  as_of      INTEGER NOT NULL DEFAULT 0,
  good_until INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TEMP TABLE old_bulletin AS
  SELECT CAST(substr(bytes, 73) AS TEXT) AS json FROM document
  WHERE kind = 'bulletin' AND CASE WHEN json_valid(CAST(substr(bytes, 73) AS TEXT))
    THEN json_type(CAST(substr(bytes, 73) AS TEXT), '$.hotlist') = 'array' ELSE 0 END;
INSERT INTO hotlist (list, card_id, position, listed, block_mac)
  SELECT 1, unhex(entry.value ->> 'cardId'), entry.key + 1, 1, unhex(entry.value ->> 'blockMac')
  FROM old_bulletin, json_each(old_bulletin.json, '$.hotlist') AS entry;
INSERT INTO hotlist_log (role, list, generation, count, head, as_of, good_until)
  SELECT 'inForce', 1, 0, json_array_length(json, '$.hotlist'), zeroblob(32),
    coalesce(unixepoch(json ->> 'issuedAt'), 0), coalesce(unixepoch(json ->> 'expiresAt'), 0)
  FROM old_bulletin;
DROP TABLE old_bulletin;
`
