/** The history of the corpus, and audits. */
export const corpusHistoryAndAudits = `
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
`;
