/** The slopes of prints; drawn from pixels, they do not shrink. */
export const slopesOfPrints = `
CREATE TABLE image_slopes (
  image_id bytea PRIMARY KEY REFERENCES image,
  slopes bytea NOT NULL CHECK (length(slopes) = 1024)
);
ALTER TABLE image_slopes ALTER COLUMN slopes SET STORAGE EXTERNAL;
`;
