/** What routes have in common: how they are declared, and the answers that any of them may give. */
import { z } from '@hono/zod-openapi';
import { FAILURE } from '../schemas.ts';

export function json<S extends z.ZodType>(schema: S, description: string) {
  return { content: { 'application/json': { schema } }, description };
}

export function body<S extends z.ZodType>(schema: S) {
  return { body: { content: { 'application/json': { schema } }, required: true } } as const;
}

/** Added to every route's own. */
export const FAILURES = {
  400: json(FAILURE, 'What was asked is wrong.'),
  404: json(FAILURE, 'There is no such thing here.'),
  409: json(FAILURE, 'Somebody else changed it meanwhile, or something is under way.'),
} as const;

export const NOTHING = z.object({}).openapi('Nothing');
export const BINARY = { content: { 'application/octet-stream': { schema: z.string() } } };
