/** An error as it crosses threads: structured clone would drop our class, its code and its hint. */
import { type ErrorCode, LabelsmithError } from '../errors.ts';

export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: ErrorCode;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack } = error;
  if (!(error instanceof LabelsmithError)) return { name, message, stack };
  return { name, message, stack, code: error.code, hint: error.hint, details: error.details };
}

export function errorOf(plain: PlainError): Error {
  const error =
    plain.code === undefined
      ? new Error(plain.message)
      : new LabelsmithError(plain.code, plain.message, { hint: plain.hint, details: plain.details });
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}
