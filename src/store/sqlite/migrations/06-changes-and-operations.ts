/** Changes and operations in place of counters and the history of the corpus, and leases of runs. */
export const changesAndOperations = `
-- One row a commit that changes what is known of images or classes: its id is the revision of the images that it changed,
-- and the upper part of the sequence of its labels, above those of before.
CREATE TABLE change (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  first_image BLOB,
  last_image BLOB
) STRICT;
INSERT INTO change (id, kind, at_ms) SELECT value / 16777216 + 1, 'corpus', 0 FROM counter WHERE name = 'sequence';
CREATE INDEX change_of_corpus ON change (id) WHERE kind = 'corpus';
DROP TABLE counter;

ALTER TABLE image ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
UPDATE image SET revision = (SELECT max(id) FROM change);
UPDATE change SET first_image = (SELECT min(id) FROM image), last_image = (SELECT max(id) FROM image);
-- Whether an image is there is a part of what is known of it.
CREATE TRIGGER image_gone AFTER INSERT ON gone_image
BEGIN
  UPDATE image SET revision = (SELECT max(id) FROM change) WHERE id = NEW.image_id;
  UPDATE change SET
      first_image = min(coalesce(first_image, NEW.image_id), NEW.image_id),
      last_image = max(coalesce(last_image, NEW.image_id), NEW.image_id)
    WHERE id = (SELECT max(id) FROM change);
END;
CREATE TRIGGER image_back AFTER DELETE ON gone_image
BEGIN
  UPDATE image SET revision = (SELECT max(id) FROM change) WHERE id = OLD.image_id;
  UPDATE change SET
      first_image = min(coalesce(first_image, OLD.image_id), OLD.image_id),
      last_image = max(coalesce(last_image, OLD.image_id), OLD.image_id)
    WHERE id = (SELECT max(id) FROM change);
END;

-- What people did, with what it takes to undo it: operations on the corpus, and on labels and regions.
CREATE TABLE operation (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  actor_id INTEGER NOT NULL REFERENCES annotator,
  kind TEXT NOT NULL CHECK (kind IN ('corpus', 'items')),
  name TEXT NOT NULL,
  arguments TEXT NOT NULL,
  forward TEXT,
  backward TEXT,
  labels INTEGER NOT NULL,
  regions INTEGER NOT NULL,
  undone INTEGER NOT NULL
) STRICT;
CREATE INDEX operation_of_corpus ON operation (id) WHERE kind = 'corpus';
INSERT INTO operation
  SELECT id, at_ms, 0, 'corpus', operation, json_extract(forward, '$.arguments'),
    json_remove(forward, '$.arguments', '$.labels'), backward, json_extract(forward, '$.labels'), 0, undone
  FROM class_history;
CREATE TABLE operation_label (
  operation_id INTEGER NOT NULL REFERENCES operation,
  side INTEGER NOT NULL CHECK (side IN (0, 1)),
  image_id BLOB NOT NULL,
  region_id BLOB NOT NULL,
  task_id INTEGER NOT NULL,
  class_id INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  annotator_id INTEGER NOT NULL,
  present INTEGER NOT NULL,
  confidence REAL NOT NULL,
  run_key INTEGER,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (operation_id, image_id, region_id, task_id, class_id, origin, model_id, annotator_id, side)
) STRICT, WITHOUT ROWID;
CREATE INDEX operation_label_by_class ON operation_label (class_id);
INSERT INTO operation_label
  SELECT history_id, side, image_id, region_id, task_id, class_id, origin, model_id, annotator_id, present, confidence,
    run_key, sequence
  FROM class_history_label;
CREATE TABLE operation_region (
  operation_id INTEGER NOT NULL REFERENCES operation,
  side INTEGER NOT NULL CHECK (side IN (0, 1)),
  image_id BLOB NOT NULL,
  id BLOB NOT NULL,
  x1 REAL NOT NULL,
  y1 REAL NOT NULL,
  x2 REAL NOT NULL,
  y2 REAL NOT NULL,
  score REAL,
  model_id INTEGER,
  run_key INTEGER,
  touched INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  crowd INTEGER NOT NULL,
  keypoints TEXT,
  mask TEXT,
  polygons TEXT,
  keypoints_model_id INTEGER,
  mask_model_id INTEGER,
  details TEXT,
  whole INTEGER NOT NULL,
  PRIMARY KEY (operation_id, image_id, id, side)
) STRICT, WITHOUT ROWID;
-- Regions that an operation froze: untouched before, touched after.
INSERT INTO operation_region
  SELECT frozen.history_id, side.value, frozen.image_id, frozen.region_id, frozen.x1, frozen.y1, frozen.x2, frozen.y2,
    region.score, region.model_id, region.run_key, side.value, 0, region.crowd, NULL, NULL, NULL, NULL, NULL, NULL, 0
  FROM class_history_region AS frozen
    JOIN region ON region.image_id = frozen.image_id AND region.id = frozen.region_id
    JOIN json_each('[0, 1]') AS side;
DROP TABLE class_history_region;
DROP TABLE class_history_label;
DROP TABLE class_history;

-- A run that is under way is so until its lease ends, which its process renews.
ALTER TABLE run ADD COLUMN lease_until_ms INTEGER;
ALTER TABLE run DROP COLUMN host;
ALTER TABLE run DROP COLUMN pid;
ALTER TABLE run DROP COLUMN process_mark;
`;
