/** How what went wrong is told to the page. */
import type { Context } from 'hono';
import type { z } from 'zod';
import { problemText } from '../core/validate.ts';
import { type ErrorCode, LabelsmithError, systemCodeOf } from '../errors.ts';

const STATUS = {
  USAGE: 400,
  NOT_FOUND: 404,
  REFUSED: 409,
  BUSY: 409,
  BAD_IMAGE: 422,
  BAD_FILE: 422,
  BAD_MODEL: 422,
  UNSUPPORTED: 422,
  WORKSPACE: 500,
  NETWORK: 502,
  INTERRUPTED: 503,
  DISK_FULL: 507,
} as const satisfies Record<ErrorCode, number>;

/** Errors that a person may see, as they are; of others only that there was one, and the log says which. */
export function failure(error: Error, c: Context, log: (line: string) => void) {
  if (error instanceof LabelsmithError) {
    const { code, message, hint } = error;
    return c.json({ error: { code, message, hint } }, STATUS[code]);
  }
  // Of Hono itself: a body that is no JSON.
  if ('status' in error && typeof error.status === 'number' && error.status >= 400 && error.status < 500) {
    return c.json({ error: { code: 'USAGE', message: error.message || 'that cannot be read' } }, 400);
  }
  // Who asked has gone, before all of what was sent was here: nobody reads the answer.
  if (systemCodeOf(error) === 'ECONNRESET' && error.message === 'aborted') {
    return c.json({ error: { code: 'USAGE', message: 'not all of it came' } }, 400);
  }
  log(`${c.req.method} ${c.req.path}: ${error.stack ?? error.message}`);
  return c.json({ error: { code: 'BUG', message: 'Something went wrong here; the terminal says what.' } }, 500);
}

type Checked = { readonly success: true } | { readonly success: false; readonly error: z.core.$ZodError };

/** Answers a request that its schema refuses. */
export function invalid(result: Checked, c: Context) {
  if (result.success) return undefined;
  const [first] = result.error.issues;
  const message = first ? problemText(first) : 'that is not what is asked for here';
  return c.json({ error: { code: 'USAGE', message } }, 400);
}
