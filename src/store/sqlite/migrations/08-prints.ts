/** Luminance at 32 × 32, for groups. A table of its own, since only groups read it, with its rowid, since rows are large. */
export const prints = `
CREATE TABLE image_print (
  image_id BLOB PRIMARY KEY REFERENCES image,
  print BLOB NOT NULL CHECK (length(print) = 1024)
) STRICT;
`;
