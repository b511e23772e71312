/**
 * The server's routes as one: the API under `/api`, the page's files beside it, and what guards both. `web/` knows the API by
 * the type {@link ReviewApi}; everybody else by the OpenAPI document at `/api/openapi.json`.
 *
 * Guarantees: nothing is answered before names and token are checked (`access.ts`); bodies are bounded; images are named by
 * id; nothing is loaded from elsewhere and nothing is sent anywhere, which the content security policy has the browser
 * enforce.
 */
import { OpenAPIHono } from '@hono/zod-openapi';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { type Access, onlyOwnNames, onlyWithToken } from './access.ts';
import type { ReviewContext } from './context.ts';
import { failure } from './failures.ts';
import { type PageFiles, withHeaders } from './page-files.ts';
import { corpusRoutes } from './routes/corpus.ts';
import { itemRoutes } from './routes/items.ts';
import { jobRoutes } from './routes/jobs.ts';
import { labelRoutes } from './routes/labels.ts';
import { mapRoutes } from './routes/map.ts';
import { pictureRoutes } from './routes/pictures.ts';
import { qualityRoutes } from './routes/quality.ts';
import { searchRoutes } from './routes/search.ts';

/** A thousand items with their images and revisions have a fifth of it. */
export const MAX_BODY_BYTES = 1024 * 1024;

export type ReviewApi = ReturnType<typeof createApi>;

export function createApi(context: ReviewContext) {
  return new OpenAPIHono()
    .basePath('/api')
    .route('/', itemRoutes(context))
    .route('/', labelRoutes(context))
    .route('/', corpusRoutes(context))
    .route('/', pictureRoutes(context))
    .route('/', jobRoutes(context))
    .route('/', mapRoutes(context))
    .route('/', qualityRoutes(context))
    .route('/', searchRoutes(context));
}

export interface AppOptions {
  readonly context: ReviewContext;
  readonly access: Access;
  readonly page: PageFiles;
  readonly log: (line: string) => void;
}

export const OPEN_API = { openapi: '3.1.0', info: { title: 'Labelsmith review', version: '1' } } as const;

export function createApp({ context, access, page, log }: AppOptions): Hono {
  const api = createApi(context);
  api.doc31('/openapi.json', OPEN_API);
  const tooLarge = { error: { code: 'USAGE', message: `more than ${MAX_BODY_BYTES} bytes are not taken` } };
  const app = new Hono()
    .use(withHeaders())
    .use(onlyOwnNames(access))
    .use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json(tooLarge, 413) }))
    .use(onlyWithToken(access, page.login));
  app.onError((error, c) => failure(error, c, log));
  api.onError((error, c) => failure(error, c, log));
  app.route('/', api);
  app.all('/api/*', (c) => c.json({ error: { code: 'NOT_FOUND', message: 'there is nothing at this address' } }, 404));
  app.get('*', (c) => page.answer(c));
  return app;
}
