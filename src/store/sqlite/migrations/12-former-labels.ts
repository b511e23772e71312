/** Which of the classes that count as one a machine had given an item before its labels were cleared. */
export const formerLabels = `
CREATE TABLE former_label (
  image_id BLOB NOT NULL,
  region_id BLOB NOT NULL,
  task_id INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  class_id INTEGER NOT NULL,
  PRIMARY KEY (image_id, region_id, task_id, origin, class_id)
) STRICT, WITHOUT ROWID;
`;
