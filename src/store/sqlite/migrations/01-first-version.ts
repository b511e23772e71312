/** The tables of the first version. */
export const firstVersion = `
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
`;
