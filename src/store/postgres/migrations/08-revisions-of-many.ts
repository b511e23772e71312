/** Revisions that a write over many images gives, apart from the wide rows of the images. */
export const revisionsOfMany = `
CREATE TABLE image_revision (
  image_id bytea PRIMARY KEY REFERENCES image,
  revision bigint NOT NULL
);
`;
