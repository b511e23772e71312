/**
 * The schema in PostgreSQL's dialect, one entry a version; `schema_version` says how many were applied. Entries are never
 * edited once released, only added.
 */
import { firstVersion } from './migrations/01-first-version.ts';
import { exports } from './migrations/02-exports.ts';
import { shardResults } from './migrations/03-shard-results.ts';
import { staging } from './migrations/04-staging.ts';
import { formerLabels } from './migrations/05-former-labels.ts';
import { fewerReferences } from './migrations/06-fewer-references.ts';
import { slopesOfPrints } from './migrations/07-slopes-of-prints.ts';
import { revisionsOfMany } from './migrations/08-revisions-of-many.ts';
import { writersOfRuns } from './migrations/09-writers-of-runs.ts';

export const MIGRATIONS: readonly string[] = [
  firstVersion,
  exports,
  shardResults,
  staging,
  formerLabels,
  fewerReferences,
  slopesOfPrints,
  revisionsOfMany,
  writersOfRuns,
];

/** Tables whose rows the database gives a number, and the column of it. */
export const NUMBERED = [
  ['source_root', 'id'],
  ['task', 'id'],
  ['model', 'id'],
  ['acceptance', 'id'],
  ['annotator', 'id'],
  ['run', 'key'],
  ['change', 'id'],
  ['class', 'id'],
  ['audit', 'id'],
  ['operation', 'id'],
  ['export', 'id'],
  ['staged_import', 'id'],
] as const;
