/** Items held out of training, references, and what stages left for a task: out of the settings, in tables of their own. */
import type { MigratedDatabase } from './migration.ts';

const TABLES = `
-- An audit asks about claims of a machine, or holds items out of training, drawn with equal chance.
ALTER TABLE audit ADD COLUMN kind TEXT NOT NULL DEFAULT 'claims' CHECK (kind IN ('claims', 'items'));
CREATE TABLE audit_item_of_any_kind (
  audit_id INTEGER NOT NULL REFERENCES audit,
  image_id BLOB NOT NULL REFERENCES image,
  region_id BLOB NOT NULL,
  class_name TEXT NOT NULL,
  origin INTEGER,
  confidence REAL,
  stratum INTEGER NOT NULL,
  answer TEXT,
  PRIMARY KEY (audit_id, image_id, region_id, class_name)
) STRICT, WITHOUT ROWID;
INSERT INTO audit_item_of_any_kind
  SELECT audit_id, image_id, region_id, class_name, origin, confidence, stratum, answer FROM audit_item;
DROP TABLE audit_item;
ALTER TABLE audit_item_of_any_kind RENAME TO audit_item;
INSERT INTO audit (task_id, at_ms, seed, design, kind)
  SELECT task.id, 0, 0, '{}', 'items' FROM setting JOIN task ON setting.key = 'audit:' || task.name;
-- A region that is gone by now has no image to be kept under, and is left out.
INSERT INTO audit_item (audit_id, image_id, region_id, class_name, stratum)
  SELECT audit.id, coalesce(region.image_id, image.id), coalesce(region.id, x''), '', 0
  FROM audit
    JOIN task ON task.id = audit.task_id
    JOIN setting ON setting.key = 'audit:' || task.name
    JOIN json_each(setting.value) AS item
    LEFT JOIN image ON image.id = unhex(item.value)
    LEFT JOIN region ON region.id = unhex(item.value)
  WHERE audit.kind = 'items' AND coalesce(region.image_id, image.id) IS NOT NULL;

-- What a stage left for a task, in the form of its version.
CREATE TABLE artifact (
  kind TEXT NOT NULL,
  task_id INTEGER NOT NULL REFERENCES task,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (kind, task_id)
) STRICT, WITHOUT ROWID;
INSERT INTO artifact (kind, task_id, version, data)
  SELECT kind.name, task.id, 0, CASE kind.name WHEN 'classifying' THEN json_quote(setting.value) ELSE setting.value END
  FROM (SELECT 'clusters' AS name, 'clusters' AS key UNION ALL SELECT 'map', 'map'
      UNION ALL SELECT 'predictions', 'guesses' UNION ALL SELECT 'classifying', 'classifying') AS kind
    JOIN task
    JOIN setting ON setting.key = kind.key || ':' || task.name;

-- Reference images of classes: known by the hash of their bytes, with what the embedder made of them.
CREATE TABLE reference_image (
  task_id INTEGER NOT NULL REFERENCES task,
  space TEXT NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 32),
  class_name TEXT NOT NULL,
  vector BLOB NOT NULL,
  PRIMARY KEY (task_id, space, id)
) STRICT;
`;

export function heldOutAndArtifacts(database: MigratedDatabase): void {
  database.exec(TABLES);
  const insert =
    'INSERT OR REPLACE INTO reference_image (task_id, space, id, class_name, vector) VALUES (?, ?, ?, ?, ?)';
  const kept = database.all(
    `SELECT task.id, substr(setting.key, length('references:' || task.name || ':') + 1) AS space, setting.value
      FROM setting JOIN task ON substr(setting.key, 1, length('references:' || task.name || ':')) = 'references:' || task.name || ':'`,
  );
  for (const { id: taskId, space, value } of kept) {
    for (const { id, className, vector } of JSON.parse(String(value)) as Record<
      'id' | 'className' | 'vector',
      string
    >[]) {
      const row = [taskId, space, Buffer.from(id, 'hex'), className, Buffer.from(vector, 'base64')];
      database.all(insert, row);
    }
  }
  database.exec(
    `DELETE FROM setting WHERE substr(key, 1, instr(key, ':')) IN
      ('audit:', 'clusters:', 'map:', 'guesses:', 'classifying:', 'references:')`,
  );
}
