/**
 * A record that was deleted, moved or replaced while the server has it open. SQLite would go on writing to the file without a
 * name, and what was acknowledged would be gone with the server.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { MiddlewareHandler } from 'hono';
import { LabelsmithError } from '../errors.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { DATABASE_FILE } from '../store/open.ts';

/** Fails every request with `WORKSPACE` for as long as the file is not the one of the beginning. */
export function onlyWhileThere({ dir, location, name }: Workspace): MiddlewareHandler {
  const file = join(dir, DATABASE_FILE);
  const identity = () => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found && `${found.dev} ${found.ino}`;
  };
  // One in PostgreSQL has no file here.
  const atFirst = location === dir ? identity() : undefined;
  return async (_, next) => {
    if (atFirst !== undefined && identity() !== atFirst) {
      throw new LabelsmithError(
        'WORKSPACE',
        `The workspace ${name} was deleted, moved or replaced. Nothing is written.`,
        {
          hint: 'Put it back, or end this server and start it where the workspace is now.',
        },
      );
    }
    return next();
  };
}
