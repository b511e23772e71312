/** Quarantine by source. */
export const quarantineByRoot = `
CREATE INDEX quarantine_by_root ON quarantine (source_root_id);
`;
