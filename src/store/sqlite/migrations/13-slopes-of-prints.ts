/** Beside the prints, of which three fill a page: rows of twice the size would leave half of it empty. */
export const slopesOfPrints = `
CREATE TABLE image_slopes (
  image_id BLOB PRIMARY KEY REFERENCES image,
  slopes BLOB NOT NULL CHECK (length(slopes) = 1024)
) STRICT;
`;
