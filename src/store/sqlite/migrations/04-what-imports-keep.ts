/** Annotators, details, splits, attributes, skeletons, hashes of pixels, and images that are gone. */
export const whatImportsKeep = `
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
`;
