/** Which model made a shape. */
export const makersOfShapes = `
-- Which model made a shape, so that another one's can take its place; null for what a person or an import brought.
ALTER TABLE region_shape ADD COLUMN keypoints_model_id INTEGER REFERENCES model;
ALTER TABLE region_shape ADD COLUMN mask_model_id INTEGER REFERENCES model;
`;
