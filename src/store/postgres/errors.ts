/** PostgreSQL's errors as ours: what was wrong, with which database, what to do. Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
import { LabelsmithError, messageOf, systemCodeOf } from '../../errors.ts';

/** The connection is gone, or could not be made; what was asked may be asked again. */
const LOST = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  // The server is shutting down, crashed, or is starting.
  '57P01',
  '57P02',
  '57P03',
  '53300',
]);
/** The client's own words for it, which have no code. */
const LOST_WORDS =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/i;

/** There is no workspace yet. */
export function nowhere(shown: string): LabelsmithError {
  return new LabelsmithError('WORKSPACE', `There is no workspace at ${shown}.`, {
    hint: 'Add images first: labelsmith add FOLDER --workspace postgres://… --blobs PLACE.',
    details: { nowhere: true },
  });
}

export function isNowhere(error: unknown): boolean {
  return error instanceof LabelsmithError && error.details.nowhere === true;
}

export function isLostConnection(error: unknown): boolean {
  if (error instanceof LabelsmithError) return isLostConnection(error.cause);
  const code = systemCodeOf(error) ?? '';
  return LOST.has(code) || code.startsWith('08') || (error instanceof Error && LOST_WORDS.test(error.message));
}

export function translated(error: unknown, database: string): unknown {
  if (error instanceof LabelsmithError) return error;
  const code = systemCodeOf(error) ?? '';
  const say = (kind: LabelsmithError['code'], message: string, hint: string) =>
    new LabelsmithError(kind, `${message} (${messageOf(error)})`, {
      hint,
      details: { database, postgres: code },
      cause: error,
    });
  if (isLostConnection(error)) {
    return say(
      'NETWORK',
      `The database ${database} does not answer`,
      'Check that PostgreSQL runs and may be reached, and run the command again: it goes on where it stopped.',
    );
  }
  // The client's own words, which have no code.
  if (error instanceof Error && /does not support SSL/i.test(error.message)) {
    return say(
      'WORKSPACE',
      `${database} was asked for over TLS, which its server does not speak`,
      'Turn TLS on there, or say sslmode=disable in the address, which sends passwords and records as they are.',
    );
  }
  switch (code) {
    case 'ENOTFOUND':
      return say('NETWORK', `The machine of ${database} is not known`, 'Check the name of the host, and the network.');
    case '55P03':
    case '57014':
    case '40P01':
      return say(
        'BUSY',
        `Another process kept ${database} locked`,
        'Wait for the other labelsmith to finish its shard, or end it, and run the command again.',
      );
    case '23503':
      return new LabelsmithError('NOT_FOUND', 'A row names an image, region or run that this workspace does not have', {
        hint: 'Add the images first. Where forget took them out meanwhile, run the command again.',
        details: { database },
        cause: error,
      });
    case '53100':
      return say('DISK_FULL', `No room left on the disk of ${database}`, 'Free some space and run the command again.');
    case '42501':
    case '25006':
      return say(
        'WORKSPACE',
        `${database} may not be used like that by this user`,
        'Ask its owner for the rights (docs/fleet.md lists the roles), or name another workspace.',
      );
    case '28P01':
    case '28000':
    case '3D000':
      return say(
        'WORKSPACE',
        `${database} cannot be opened`,
        'Check the user, the password (PGPASSWORD or ~/.pgpass) and the name of the database.',
      );
    default:
      return error;
  }
}

export async function guarded<T>(database: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error, database);
  }
}
