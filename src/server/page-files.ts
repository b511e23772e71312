/** The page's own files, read once, and the headers of every answer. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import type { Context, MiddlewareHandler } from 'hono';
import { html } from '../core/markup.ts';
import { LabelsmithError } from '../errors.ts';

export interface PageFiles {
  answer(c: Context): Response | Promise<Response>;
  /** Where a password is asked for. */
  readonly login: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Beside the compiled server; in a checkout, where the build put it. */
export function pageFolder(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../../dist/web/' : '../web/', import.meta.url);
}

/** @param folder what `vite build` wrote */
export function readPageFiles(folder: string): PageFiles {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new LabelsmithError('NOT_FOUND', 'The review app is not built.', { hint: 'In a checkout: npm run build.' });
  }
  const files = new Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }>();
  for (const file of globSync('**/*.*', { cwd: folder })) {
    const type = TYPES[extname(file)];
    if (type)
      files.set(`/${file.split(sep).join('/')}`, { bytes: new Uint8Array(readFileSync(join(folder, file))), type });
  }
  const index = files.get('/index.html');
  return {
    answer(c) {
      const { path } = c.req;
      const file = files.get(path) ?? (extname(path) === '' ? index : undefined);
      if (!file) return c.json({ error: { code: 'NOT_FOUND', message: 'there is no such file' } }, 404);
      const caching = path.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache';
      return c.body(file.bytes, 200, { 'content-type': file.type, 'cache-control': caching });
    },
    login: LOGIN.text,
  };
}

const LOGIN = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Labelsmith</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Labelsmith</h1><form method="post" action="/login">
<label>Password <input type="password" name="password" autofocus required autocomplete="current-password"></label>
<button>Open</button></form></main></body></html>
`;

/** What the page may do: its own scripts, styles and pictures, its own server, nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function withHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    c.header('content-security-policy', POLICY);
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    c.header('cross-origin-opener-policy', 'same-origin');
    c.header('cross-origin-resource-policy', 'same-origin');
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
  };
}
