/**
 * The schema in SQLite's dialect, one entry a version; `PRAGMA user_version` is the number of those applied. Entries are
 * never edited once released, only added.
 *
 * `WITHOUT ROWID` clusters a table by its primary key: rows of one image lie together, in the order in which stages
 * write them and exports read them. Tables with large rows keep their rowid.
 */
import { firstVersion } from './migrations/01-first-version.ts';
import { makersOfShapes } from './migrations/02-makers-of-shapes.ts';
import { corpusHistoryAndAudits } from './migrations/03-corpus-history-and-audits.ts';
import { whatImportsKeep } from './migrations/04-what-imports-keep.ts';
import { quarantineByRoot } from './migrations/05-quarantine-by-root.ts';
import { changesAndOperations } from './migrations/06-changes-and-operations.ts';
import { heldOutAndArtifacts } from './migrations/07-held-out-and-artifacts.ts';
import { prints } from './migrations/08-prints.ts';
import { exports } from './migrations/09-exports.ts';
import { shardResults } from './migrations/10-shard-results.ts';
import { staging } from './migrations/11-staging.ts';
import { formerLabels } from './migrations/12-former-labels.ts';
import { slopesOfPrints } from './migrations/13-slopes-of-prints.ts';
import { revisionsOfMany } from './migrations/14-revisions-of-many.ts';
import { writersOfRuns } from './migrations/15-writers-of-runs.ts';
import type { Migration } from './migrations/migration.ts';

export const MIGRATIONS: readonly Migration[] = [
  firstVersion,
  makersOfShapes,
  corpusHistoryAndAudits,
  whatImportsKeep,
  quarantineByRoot,
  changesAndOperations,
  heldOutAndArtifacts,
  prints,
  exports,
  shardResults,
  staging,
  formerLabels,
  slopesOfPrints,
  revisionsOfMany,
  writersOfRuns,
];

/** "LbSm": tells a workspace's database from any other SQLite file. */
export const APPLICATION_ID = 0x4c62536d;
