/** Images that are like one that is here, like a picture from elsewhere, or like words; the nearest first. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { LabelsmithError } from '../../errors.ts';
import { PixelBudget } from '../../images/pixel-budget.ts';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import { MAX_FOUND, MAX_PICTURE_BYTES } from '../limits.ts';
import { IMAGE_ID } from '../schemas.ts';
import type { Found } from '../searches.ts';
import { body, FAILURES, json } from './answers.ts';

const COUNT = z.coerce.number().int().min(1).max(MAX_FOUND);
const FOUND = z
  .object({
    found: z.array(z.object({ id: z.string(), similarity: z.number().openapi({ description: 'Cosine, −1 to 1.' }) })),
  })
  .openapi('Found');

const KINDS = createRoute({
  method: 'get',
  path: '/search',
  responses: {
    200: json(z.object({ pictures: z.boolean(), words: z.boolean() }), 'What can be searched by.'),
    ...FAILURES,
  },
});

const NEIGHBOURS = createRoute({
  method: 'get',
  path: '/images/{id}/neighbours',
  request: { params: z.object({ id: IMAGE_ID }), query: z.object({ count: COUNT.default(12) }) },
  responses: { 200: json(FOUND, 'Nearest first.'), ...FAILURES },
});

const WORDS = createRoute({
  method: 'post',
  path: '/search/words',
  request: body(z.object({ words: z.string().min(1).max(500), count: COUNT.default(MAX_FOUND) })),
  responses: { 200: json(FOUND, 'Those first that the words describe best.'), ...FAILURES },
});

const PICTURE = createRoute({
  method: 'post',
  path: '/search/picture',
  request: { query: z.object({ count: COUNT.default(MAX_FOUND) }) },
  description: `The body is an image file of any kind that is added, of at most ${MAX_PICTURE_BYTES / 2 ** 20} MB; its length is said beforehand.`,
  responses: { 200: json(FOUND, 'Nearest first.'), ...FAILURES },
});

function told(found: readonly Found[]) {
  return { found: found.map(({ id, similarity }) => ({ id, similarity })) };
}

/** What pictures that are searched with take at once; others wait in their connections. */
const MAX_HELD_BYTES = 128 * 1024 * 1024;

export function searchRoutes({ searches }: Pick<ReviewContext, 'searches'>) {
  const holding = new PixelBudget(MAX_HELD_BYTES);
  return new OpenAPIHono({ defaultHook: invalid })
    .openapi(KINDS, async (c) => c.json(await searches.kinds(), 200))
    .openapi(NEIGHBOURS, async (c) => {
      return c.json(told(await searches.likeImage(c.req.valid('param').id, c.req.valid('query').count)), 200);
    })
    .openapi(WORDS, async (c) => {
      const { words, count } = c.req.valid('json');
      return c.json(told(await searches.likeWords(words, count)), 200);
    })
    .openapi(PICTURE, async (c) => {
      const { count } = c.req.valid('query');
      const found = await holding.run(Number(c.req.header('content-length') ?? 0), async () => {
        const bytes = new Uint8Array(await c.req.arrayBuffer());
        if (bytes.length === 0) throw new LabelsmithError('USAGE', 'there is no picture in what was sent');
        return searches.likePicture(bytes, count);
      });
      return c.json(told(found), 200);
    });
}
