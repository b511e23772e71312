/** What a database takes and gives. */
export type SqlValue = string | number | null | Uint8Array;
