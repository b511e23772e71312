/**
 * The server's routes as one: the API under `/api`, the page's files beside it, and what guards both. `web/` knows the API by
 * the type {@link ReviewApi}; everybody else by the OpenAPI document at `/api/openapi.json`.
 *
 * Guarantees: nothing is answered before names and token are checked (`access.ts`); bodies are bounded; images are named by
 * id; nothing is loaded from elsewhere and nothing is sent anywhere, which the content security policy has the browser
 * enforce.
 */
import { OpenAPIHono } from '@hono/zod-openapi';
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { type Access, onlyOwnNames, onlyWithToken } from './access.ts';
import type { ReviewContext } from './context.ts';
import { failure } from './failures.ts';
import { MAX_BODY_BYTES, MAX_PICTURE_BYTES } from './limits.ts';
import { type PageFiles, withHeaders } from './page-files.ts';
import { corpusRoutes } from './routes/corpus.ts';
import { itemRoutes } from './routes/items.ts';
import { jobRoutes } from './routes/jobs.ts';
import { labelRoutes } from './routes/labels.ts';
import { mapRoutes } from './routes/map.ts';
import { pictureRoutes } from './routes/pictures.ts';
import { qualityRoutes } from './routes/quality.ts';
import { searchRoutes } from './routes/search.ts';
import { onlyWhileThere } from './still-there.ts';

const PICTURE_PATH = '/api/search/picture';

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
  const small = limitOf(MAX_BODY_BYTES);
  const app = new Hono()
    .use(withHeaders())
    .use(onlyOwnNames(access))
    .use((c, next) => (c.req.path === PICTURE_PATH ? next() : small(c, next)))
    .use(onlyWithToken(access, page.login))
    // What is large is read from those alone who are let in.
    .use(PICTURE_PATH, onlyOfKnownLength, limitOf(MAX_PICTURE_BYTES))
    .use('/api/*', onlyWhileThere(context.workspace));
  app.onError((error, c) => failure(error, c, log));
  api.onError((error, c) => failure(error, c, log));
  app.route('/', api);
  app.all('/api/*', (c) => c.json({ error: { code: 'NOT_FOUND', message: 'there is nothing at this address' } }, 404));
  app.get('*', (c) => page.answer(c));
  return app;
}

function limitOf(maxSize: number): MiddlewareHandler {
  const error = { code: 'USAGE', message: `more than ${maxSize / 2 ** 20} MB are not taken` };
  return bodyLimit({ maxSize, onError: (c) => c.json({ error }, 413) });
}

/** A body that says its length waits unread until there is room for it. */
const onlyOfKnownLength: MiddlewareHandler = async (c, next) => {
  const error = { code: 'USAGE', message: 'a picture needs the header Content-Length' };
  if (c.req.method === 'POST' && c.req.header('content-length') === undefined) return c.json({ error }, 411);
  return next();
};
