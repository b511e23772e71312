/**
 * Every route of the document with bodies, queries and ids made from its own schemas, and with such that are broken in one
 * place: no answer is a fault of the server, and it lives on.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { type ReviewedPictures, RUN, reviewedPictures } from '../../test/fixtures/review-server.ts';
import fc from '../../test/properties.ts';
import { type ReviewServer, startReview } from './serve.ts';

/** It does not end by itself, and has a test of its own. */
const LEFT_OUT: ReadonlySet<string> = new Set(['GET /api/events']);
/** In the place of stages: any path may be asked for. */
const NO_STAGE = `process.once('message', () => {
  process.send({ kind: 'done', interrupted: false, result: null });
  process.disconnect();
});`;
let pictures: ReviewedPictures;
let server: ReviewServer;
let ids: string[] = [];
const log: string[] = [];

before(async () => {
  pictures = await reviewedPictures();
  const { workspace, page, dir } = pictures;
  ids = (await workspace.store.page({ limit: 10 })).items.map(({ imageId }) => imageId);
  const jobModule = pathToFileURL(join(dir, 'no-stage.mjs'));
  writeFileSync(jobModule, NO_STAGE);
  server = await startReview(workspace, { ...RUN, port: 0, jobModule, page, onLog: (line) => log.push(line) });
});

after(async () => {
  await server.close();
  await pictures.close();
});

const SCHEMA = z.record(z.string(), z.unknown());
const DOCUMENT = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        parameters: z
          .array(z.object({ name: z.string(), in: z.string(), required: z.boolean().optional(), schema: SCHEMA }))
          .default([]),
        requestBody: z.object({ content: z.record(z.string(), z.object({ schema: SCHEMA })) }).optional(),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), SCHEMA) }),
});
type Document = z.infer<typeof DOCUMENT>;
type Schema = z.infer<typeof SCHEMA>;

const list = (value: unknown) => z.array(SCHEMA).parse(value);
const number = (value: unknown, otherwise: number) => (typeof value === 'number' ? value : otherwise);
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  fc.constantFrom(
    'class',
    'cat',
    '(none of these)',
    '../../etc/passwd',
    '\u0000',
    "'; drop table label; --",
    '\ud800',
    '𝒳'.repeat(99),
  ),
);

/** Values of a JSON schema, as `@hono/zod-openapi` writes them. */
function valuesOf(schema: Schema, document: Document): fc.Arbitrary<unknown> {
  const of = (other: unknown) => valuesOf(SCHEMA.parse(other), document);
  if (typeof schema.$ref === 'string') return of(document.components.schemas[schema.$ref.split('/').pop() ?? '']);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...list(choices).map(of));
  if (schema.allOf) return of(list(schema.allOf)[0]);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'string':
      // Ids of here, of elsewhere, and of regions.
      if (schema.pattern) return fc.constantFrom(...ids, 'ab'.repeat(32), 'cd'.repeat(16));
      return anyText;
    case 'integer':
      return fc.integer({ min: number(schema.minimum, -5), max: number(schema.maximum, 1e6) });
    case 'number':
      return fc.double({ min: number(schema.minimum, 0), max: number(schema.maximum, 1e3), noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      if (schema.prefixItems) return fc.tuple(...list(schema.prefixItems).map(of));
      return fc.array(of(schema.items), { minLength: number(schema.minItems, 0), maxLength: 4 });
    case 'object': {
      const properties = SCHEMA.parse(schema.properties ?? {});
      const required = z.array(z.string()).parse(schema.required ?? []);
      const values = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, of(one)]));
      return fc.record(values, { requiredKeys: required });
    }
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

/** One place in a value is something else, or is gone. */
function broken(value: unknown, path: readonly number[], by: unknown): unknown {
  const [at = 0, ...rest] = path;
  if (typeof value !== 'object' || value === null || path.length === 0) return by;
  const keys = Object.keys(value);
  const key = keys[at % Math.max(1, keys.length)];
  if (key === undefined) return by;
  const changed = broken(Reflect.get(value, key), rest, by);
  if (Array.isArray(value)) return value.with(Number(key), changed);
  return { ...value, [key]: changed };
}

const anyBreak = fc.option(
  fc.record({
    path: fc.array(fc.nat({ max: 7 }), { maxLength: 4 }),
    by: fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(undefined, -1, 1e308, '', [], {}, null, 'x'.repeat(5000)),
    ),
  }),
);

async function documentHere(): Promise<Document> {
  const answer = await fetch(`http://127.0.0.1:${server.port}/api/openapi.json`, { headers: headers() });
  return DOCUMENT.parse(await answer.json());
}

const headers = () => ({ authorization: `Bearer ${server.token}`, 'content-type': 'application/json' });

test('no body, query or id makes a route fail, and the server lives on', async (t) => {
  const document = await documentHere();
  const answers = new Map<number, number>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { parameters, requestBody }] of Object.entries(methods)) {
      const route = `${method.toUpperCase()} ${path}`;
      if (LEFT_OUT.has(route)) continue;
      const schema = requestBody?.content['application/json']?.schema;
      const request = fc.record({
        body: schema ? valuesOf(schema, document) : fc.constant(undefined),
        given: fc.tuple(...parameters.map((one) => valuesOf(one.schema, document))),
        change: anyBreak,
        junk: fc.option(anyText, { freq: 8 }),
      });
      await fc.assert(
        fc.asyncProperty(request, async ({ body, given, change, junk }) => {
          let url = path;
          const query = new URLSearchParams();
          for (const [i, one] of parameters.entries()) {
            const value = String(junk ?? given[i]).toWellFormed();
            if (one.in === 'path') url = url.replace(`{${one.name}}`, encodeURIComponent(value));
            else if (given[i] !== undefined) query.set(one.name, value);
          }
          const sent = change ? broken(body, change.path, change.by) : body;
          const answer = await fetch(`http://127.0.0.1:${server.port}${url}?${query}`, {
            method: method.toUpperCase(),
            headers: headers(),
            body: method === 'get' ? undefined : (JSON.stringify(sent) ?? 'nothing'),
          });
          await answer.arrayBuffer();
          answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
          assert.ok(answer.status < 500, `${answer.status}: ${log.at(-1)}`);
        }),
        { numRuns: 25, endOnFailure: true },
      );
    }
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(answers)));
  assert.ok((answers.get(200) ?? 0) > 100 && (answers.get(400) ?? 0) > 50, 'both kinds came');
  assert.deepEqual(log, []);
  const alive = await fetch(`http://127.0.0.1:${server.port}/api/workspace`, { headers: headers() });
  assert.equal(alive.status, 200);
  assert.deepEqual(await pictures.workspace.store.check(), []);
});

test('whoever listens is let in until there are 64; those who leave make room, whatever they asked with', async () => {
  const leaving: AbortController[] = [];
  const listen = async (query: string) => {
    const controller = new AbortController();
    leaving.push(controller);
    const { signal } = controller;
    return fetch(`http://127.0.0.1:${server.port}/api/events?${query}`, { headers: headers(), signal });
  };
  const queries = fc
    .sample(anyText, { numRuns: 80, seed: 1 })
    .map((text) => `x=${encodeURIComponent(text.toWellFormed())}`);
  const answers = await Promise.all(queries.map(listen));
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual(
    [statuses.filter((one) => one === 200).length, statuses.filter((one) => one === 409).length],
    [64, 16],
  );
  const alive = await fetch(`http://127.0.0.1:${server.port}/api/workspace`, { headers: headers() });
  assert.equal(alive.status, 200);
  for (const one of leaving.splice(0)) one.abort();
  for (let again = 0; again !== 200; ) {
    const answer = await listen('');
    again = answer.status;
    await new Promise((next) => setTimeout(next, 50));
  }
  for (const one of leaving) one.abort();
  assert.deepEqual(log, []);
});
