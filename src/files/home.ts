/** The user's home, which not every user has. */
import { homedir } from 'node:os';

/** Undefined for a user that the system does not know and that has no HOME, as in some containers. */
export function homedirIfAny(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
