/** What imports that are under way are going to write: put aside in short transactions, and done in one. */
export const staging = `
CREATE TABLE staged_import (id INTEGER PRIMARY KEY AUTOINCREMENT, run_key INTEGER NOT NULL REFERENCES run, dropped INTEGER NOT NULL) STRICT;
CREATE TABLE staged_entry (
  import_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (import_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE staged_image (
  import_id INTEGER NOT NULL,
  image_id BLOB NOT NULL,
  revision INTEGER NOT NULL,
  changes INTEGER NOT NULL,
  split TEXT,
  attributes TEXT,
  tally TEXT,
  entries TEXT NOT NULL,
  PRIMARY KEY (import_id, image_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE staged_name (
  import_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  id INTEGER,
  PRIMARY KEY (import_id, kind, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE staged_label (
  import_id INTEGER NOT NULL,
  gone INTEGER NOT NULL,
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
  PRIMARY KEY (import_id, image_id, region_id, task_id, class_id, origin, model_id, annotator_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE staged_region (
  import_id INTEGER NOT NULL,
  gone INTEGER NOT NULL,
  whole INTEGER NOT NULL,
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
  PRIMARY KEY (import_id, image_id, id)
) STRICT;
`;
