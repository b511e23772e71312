/** Which of the classes that count as one a machine had given an item before its labels were cleared. */
export const formerLabels = `
CREATE TABLE former_label (
  image_id bytea NOT NULL,
  region_id bytea NOT NULL,
  task_id integer NOT NULL,
  origin smallint NOT NULL,
  class_id integer NOT NULL,
  PRIMARY KEY (image_id, region_id, task_id, origin, class_id)
);
`;
