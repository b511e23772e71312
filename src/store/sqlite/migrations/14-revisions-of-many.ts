/** Revisions that a write over many images gives, apart from the wide rows of the images. */
export const revisionsOfMany = `
CREATE TABLE image_revision (
  image_id BLOB PRIMARY KEY REFERENCES image,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
