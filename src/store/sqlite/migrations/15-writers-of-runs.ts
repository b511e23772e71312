/** Which process runs a run, so that one that was killed is noticed before its lease has ended. */
export const writersOfRuns = `
ALTER TABLE run ADD COLUMN writer TEXT;
`;
