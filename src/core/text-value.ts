/** A schema of zod from text to a value: what somebody wrote on a command line or in a file. */
import { z } from 'zod';

/**
 * @param expected what is wanted, in words that complete `--limit takes …`
 * @param read gives the value, or undefined for a text that is not what is expected
 */
export function textValue<T>(expected: string, read: (text: string) => T | undefined): z.ZodType<T, string> {
  return z.string({ error: expected }).transform((given, context) => {
    const value = read(given);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: expected, input: given });
    return z.NEVER;
  });
}
