/** What takes a database from one version to the next: SQL, or what needs more than SQL can do. */
import type { SqlValue } from '../../sql/sql-value.ts';

export interface MigratedDatabase {
  exec(sql: string): void;
  all(sql: string, parameters?: readonly SqlValue[]): Readonly<Record<string, SqlValue>>[];
}

export type Migration = string | ((database: MigratedDatabase) => void);
