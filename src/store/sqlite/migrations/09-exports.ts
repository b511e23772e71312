/** What exports showed of each image. */
export const exports = `
CREATE TABLE export (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  series TEXT NOT NULL,
  format TEXT NOT NULL,
  task TEXT,
  at_ms INTEGER NOT NULL,
  -- Null until it is whole.
  digest TEXT
) STRICT;
CREATE INDEX export_by_format ON export (format, id);
CREATE TABLE export_state (
  image_id BLOB NOT NULL REFERENCES image,
  export_id INTEGER NOT NULL REFERENCES export,
  -- Null: the export does not have the image.
  state TEXT,
  PRIMARY KEY (image_id, export_id)
) STRICT, WITHOUT ROWID;
`;
