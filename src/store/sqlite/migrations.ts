/**
 * The schema in SQLite's dialect, one entry a version; `PRAGMA user_version` is the number of those applied. Entries are
 * never edited once released, only added.
 *
 * `WITHOUT ROWID` clusters a table by its primary key: rows of one image lie together, in the order in which stages
 * write them and exports read them. Tables with large rows keep their rowid.
 */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('sequence', 0), ('regions', 0), ('dictionary', 0);

CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE source_root (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE run (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  stage TEXT NOT NULL,
  settings TEXT NOT NULL,
  model_key TEXT,
  seed INTEGER NOT NULL,
  threads INTEGER NOT NULL,
  versions TEXT NOT NULL,
  started_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  status TEXT NOT NULL,
  counts TEXT NOT NULL,
  metrics TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  process_mark TEXT NOT NULL
) STRICT;

CREATE TABLE image (
  id BLOB PRIMARY KEY CHECK (length(id) = 32),
  byte_size INTEGER NOT NULL,
  format TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  orientation INTEGER NOT NULL,
  frames INTEGER NOT NULL,
  perceptual_hash BLOB NOT NULL,
  brightness REAL NOT NULL,
  sharpness REAL NOT NULL,
  entropy REAL NOT NULL,
  flags INTEGER NOT NULL,
  captured_at_ms REAL,
  camera TEXT,
  group_id BLOB NOT NULL,
  run_key INTEGER NOT NULL REFERENCES run
) STRICT, WITHOUT ROWID;
-- Most images are a group of their own: only the others are listed, which spares ingest a third of its page writes.
CREATE INDEX image_by_group ON image (group_id, id) WHERE group_id <> id;
CREATE INDEX image_flagged ON image (id, flags) WHERE flags <> 0;

CREATE TABLE image_path (
  path TEXT PRIMARY KEY,
  path_bytes BLOB,
  image_id BLOB NOT NULL REFERENCES image,
  source_root_id INTEGER NOT NULL REFERENCES source_root,
  byte_size INTEGER NOT NULL,
  modified_at_ms REAL NOT NULL,
  missing INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX image_path_by_image ON image_path (image_id, missing, path);
CREATE INDEX image_path_by_root ON image_path (source_root_id, path);

CREATE TABLE quarantine (
  path TEXT PRIMARY KEY,
  source_root_id INTEGER NOT NULL REFERENCES source_root,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  byte_size INTEGER NOT NULL,
  modified_at_ms REAL NOT NULL,
  stage TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE similar_pair (
  a BLOB NOT NULL REFERENCES image,
  b BLOB NOT NULL REFERENCES image,
  kind TEXT NOT NULL,
  distance INTEGER NOT NULL,
  PRIMARY KEY (a, b),
  CHECK (a < b)
) STRICT, WITHOUT ROWID;

CREATE TABLE task (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  rule TEXT NOT NULL CHECK (rule IN ('single', 'multi')),
  items TEXT NOT NULL CHECK (items IN ('images', 'regions'))
) STRICT;

CREATE TABLE class (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  root_id INTEGER NOT NULL REFERENCES class,
  parent_id INTEGER REFERENCES class,
  description TEXT,
  synset TEXT
) STRICT;
INSERT INTO class (id, name, root_id) VALUES (0, '(none of these)', 0);
CREATE TABLE class_alias (name TEXT PRIMARY KEY, class_id INTEGER NOT NULL REFERENCES class) STRICT, WITHOUT ROWID;
CREATE TABLE class_history (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  operation TEXT NOT NULL,
  forward TEXT NOT NULL,
  backward TEXT NOT NULL,
  undone INTEGER NOT NULL
) STRICT;

CREATE TABLE model (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, class_names TEXT NOT NULL) STRICT;
INSERT INTO model VALUES (0, '', '[]');
CREATE TABLE acceptance (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE candidate (
  image_id BLOB NOT NULL REFERENCES image,
  model_id INTEGER NOT NULL REFERENCES model,
  detections BLOB NOT NULL,
  PRIMARY KEY (model_id, image_id)
) STRICT;
CREATE TABLE detection (
  model_id INTEGER NOT NULL REFERENCES model,
  image_id BLOB NOT NULL REFERENCES image,
  acceptance_id INTEGER NOT NULL REFERENCES acceptance,
  run_key INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (model_id, image_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE region (
  image_id BLOB NOT NULL REFERENCES image,
  id BLOB NOT NULL CHECK (length(id) = 16),
  x1 REAL NOT NULL,
  y1 REAL NOT NULL,
  x2 REAL NOT NULL,
  y2 REAL NOT NULL,
  score REAL,
  model_id INTEGER REFERENCES model,
  run_key INTEGER REFERENCES run,
  touched INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  crowd INTEGER NOT NULL,
  PRIMARY KEY (image_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX region_by_id ON region (id);
CREATE INDEX region_frozen ON region (image_id, id, deleted) WHERE touched = 1;
CREATE TABLE region_shape (
  image_id BLOB NOT NULL,
  region_id BLOB NOT NULL,
  keypoints TEXT,
  mask TEXT,
  polygons TEXT,
  PRIMARY KEY (image_id, region_id),
  FOREIGN KEY (image_id, region_id) REFERENCES region (image_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE label (
  image_id BLOB NOT NULL REFERENCES image,
  region_id BLOB NOT NULL,
  task_id INTEGER NOT NULL REFERENCES task,
  class_id INTEGER NOT NULL REFERENCES class,
  origin INTEGER NOT NULL,
  model_id INTEGER NOT NULL REFERENCES model,
  present INTEGER NOT NULL,
  confidence REAL NOT NULL,
  run_key INTEGER REFERENCES run,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (image_id, region_id, task_id, class_id, origin, model_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_by_class ON label (class_id, task_id, origin, image_id, region_id, present, confidence);
CREATE INDEX label_human ON label (image_id, region_id, task_id, class_id, present, sequence) WHERE origin = 0;

CREATE TABLE vector_shard (
  space TEXT NOT NULL,
  items TEXT NOT NULL,
  shard TEXT NOT NULL,
  file TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  count INTEGER NOT NULL,
  first_id BLOB NOT NULL,
  last_id BLOB NOT NULL,
  run_key INTEGER REFERENCES run,
  PRIMARY KEY (space, items, shard)
) STRICT, WITHOUT ROWID;
`,
  `
-- Which model made a shape, so that another one's can take its place; null for what a person or an import brought.
ALTER TABLE region_shape ADD COLUMN keypoints_model_id INTEGER REFERENCES model;
ALTER TABLE region_shape ADD COLUMN mask_model_id INTEGER REFERENCES model;
`,
  `
ALTER TABLE class ADD COLUMN placed INTEGER NOT NULL DEFAULT 0;

-- What an operation on the corpus did to labels: the rows as they were (side 0) and as it left them (side 1).
CREATE TABLE class_history_label (
  history_id INTEGER NOT NULL REFERENCES class_history,
  side INTEGER NOT NULL CHECK (side IN (0, 1)),
  image_id BLOB NOT NULL,
  region_id BLOB NOT NULL,
  task_id INTEGER NOT NULL,
  class_id INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  present INTEGER NOT NULL,
  confidence REAL NOT NULL,
  run_key INTEGER,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (history_id, image_id, region_id, task_id, class_id, origin, model_id, side)
) STRICT, WITHOUT ROWID;
-- Regions that an operation froze, with the box they had.
CREATE TABLE class_history_region (
  history_id INTEGER NOT NULL REFERENCES class_history,
  image_id BLOB NOT NULL,
  region_id BLOB NOT NULL,
  x1 REAL NOT NULL,
  y1 REAL NOT NULL,
  x2 REAL NOT NULL,
  y2 REAL NOT NULL,
  PRIMARY KEY (history_id, image_id, region_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL REFERENCES task,
  at_ms INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  design TEXT NOT NULL
) STRICT;
-- A region may be gone by now; what was asked about it stays.
CREATE TABLE audit_item (
  audit_id INTEGER NOT NULL REFERENCES audit,
  image_id BLOB NOT NULL REFERENCES image,
  region_id BLOB NOT NULL,
  class_name TEXT NOT NULL,
  origin INTEGER NOT NULL,
  confidence REAL NOT NULL,
  stratum INTEGER NOT NULL,
  answer TEXT,
  PRIMARY KEY (audit_id, image_id, region_id, class_name)
) STRICT, WITHOUT ROWID;
`,
  `
-- Who said a label, where that was told: two people's labels of one item stand side by side. 0 names nobody.
CREATE TABLE annotator (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO annotator VALUES (0, '');

CREATE TABLE label_by_annotator (
  image_id BLOB NOT NULL REFERENCES image,
  region_id BLOB NOT NULL,
  task_id INTEGER NOT NULL REFERENCES task,
  class_id INTEGER NOT NULL REFERENCES class,
  origin INTEGER NOT NULL,
  model_id INTEGER NOT NULL REFERENCES model,
  annotator_id INTEGER NOT NULL REFERENCES annotator,
  present INTEGER NOT NULL,
  confidence REAL NOT NULL,
  run_key INTEGER REFERENCES run,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (image_id, region_id, task_id, class_id, origin, model_id, annotator_id)
) STRICT, WITHOUT ROWID;
INSERT INTO label_by_annotator
  SELECT image_id, region_id, task_id, class_id, origin, model_id, 0, present, confidence, run_key, sequence FROM label;
DROP TABLE label;
ALTER TABLE label_by_annotator RENAME TO label;
CREATE INDEX label_by_class ON label (class_id, task_id, origin, image_id, region_id, present, confidence);
CREATE INDEX label_human ON label (image_id, region_id, task_id, class_id, present, sequence) WHERE origin = 0;

CREATE TABLE class_history_label_by_annotator (
  history_id INTEGER NOT NULL REFERENCES class_history,
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
  PRIMARY KEY (history_id, image_id, region_id, task_id, class_id, origin, model_id, annotator_id, side)
) STRICT, WITHOUT ROWID;
INSERT INTO class_history_label_by_annotator
  SELECT history_id, side, image_id, region_id, task_id, class_id, origin, model_id, 0, present, confidence, run_key, sequence
  FROM class_history_label;
DROP TABLE class_history_label;
ALTER TABLE class_history_label_by_annotator RENAME TO class_history_label;

ALTER TABLE region_shape ADD COLUMN details TEXT;
ALTER TABLE class ADD COLUMN skeleton TEXT;
ALTER TABLE image ADD COLUMN pixel_hash BLOB CHECK (length(pixel_hash) = 32);
CREATE INDEX image_by_pixels ON image (pixel_hash) WHERE pixel_hash IS NOT NULL;

-- The split an image came with, and the run that brought it.
CREATE TABLE image_split (
  image_id BLOB PRIMARY KEY REFERENCES image,
  split TEXT NOT NULL,
  run_key INTEGER NOT NULL REFERENCES run
) STRICT, WITHOUT ROWID;

-- What imports said of an image itself, as JSON.
CREATE TABLE image_attributes (image_id BLOB PRIMARY KEY REFERENCES image, attributes TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Images that lost the last path that is there. Kept by triggers, because a path may be taken over in many ways.
CREATE TABLE gone_image (image_id BLOB PRIMARY KEY REFERENCES image) STRICT, WITHOUT ROWID;
INSERT INTO gone_image
  SELECT id FROM image WHERE NOT EXISTS (SELECT 1 FROM image_path WHERE image_id = image.id AND missing = 0);
CREATE TRIGGER image_path_lost AFTER UPDATE OF image_id, missing ON image_path
WHEN OLD.missing = 0 AND (NEW.missing = 1 OR NEW.image_id <> OLD.image_id)
BEGIN
  INSERT OR IGNORE INTO gone_image SELECT OLD.image_id
    WHERE NOT EXISTS (SELECT 1 FROM image_path WHERE image_id = OLD.image_id AND missing = 0);
END;
CREATE TRIGGER image_path_dropped AFTER DELETE ON image_path WHEN OLD.missing = 0
BEGIN
  INSERT OR IGNORE INTO gone_image SELECT OLD.image_id
    WHERE NOT EXISTS (SELECT 1 FROM image_path WHERE image_id = OLD.image_id AND missing = 0);
END;
CREATE TRIGGER image_path_found AFTER INSERT ON image_path
WHEN NEW.missing = 0 AND EXISTS (SELECT 1 FROM gone_image WHERE image_id = NEW.image_id)
BEGIN
  DELETE FROM gone_image WHERE image_id = NEW.image_id;
END;
CREATE TRIGGER image_path_found_again AFTER UPDATE OF image_id, missing ON image_path
WHEN NEW.missing = 0 AND (OLD.missing = 1 OR OLD.image_id <> NEW.image_id)
BEGIN
  DELETE FROM gone_image WHERE image_id = NEW.image_id;
END;

-- By image first, so that everything about one image is found, and can be forgotten, without looking at all others.
CREATE TABLE candidate_by_image (
  image_id BLOB NOT NULL REFERENCES image,
  model_id INTEGER NOT NULL REFERENCES model,
  detections BLOB NOT NULL,
  PRIMARY KEY (image_id, model_id)
) STRICT;
INSERT INTO candidate_by_image SELECT image_id, model_id, detections FROM candidate ORDER BY image_id, model_id;
DROP TABLE candidate;
ALTER TABLE candidate_by_image RENAME TO candidate;
CREATE TABLE detection_by_image (
  image_id BLOB NOT NULL REFERENCES image,
  model_id INTEGER NOT NULL REFERENCES model,
  acceptance_id INTEGER NOT NULL REFERENCES acceptance,
  run_key INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (image_id, model_id)
) STRICT, WITHOUT ROWID;
INSERT INTO detection_by_image SELECT image_id, model_id, acceptance_id, run_key FROM detection;
DROP TABLE detection;
ALTER TABLE detection_by_image RENAME TO detection;
CREATE INDEX similar_pair_by_b ON similar_pair (b);
`,
  `
CREATE INDEX quarantine_by_root ON quarantine (source_root_id);
`,
];

/** "LbSm": tells a workspace's database from any other SQLite file. */
export const APPLICATION_ID = 0x4c62536d;
