/**
 * The schema in PostgreSQL's dialect, one entry a version; `schema_version` says how many were applied. Entries are never
 * edited once released, only added.
 */
import { firstVersion } from './migrations/01-first-version.ts';

export const MIGRATIONS: readonly string[] = [firstVersion];
