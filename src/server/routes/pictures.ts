/** Pictures by the ids of images and regions, never by path. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import { IMAGE_ID, REGION_ID } from '../schemas.ts';
import { FAILURES } from './answers.ts';

const MAX_LONGEST_PX = 4096;
const PICTURE = { content: { 'image/webp': { schema: z.string() } }, description: 'A picture.' };
/** An id names content that never changes; boxes of regions do. */
const FOR_EVER = 'private, max-age=31536000, immutable';

const THUMBNAIL = createRoute({
  method: 'get',
  path: '/images/{id}/thumbnail',
  request: { params: z.object({ id: IMAGE_ID }), query: z.object({ region: REGION_ID.optional() }) },
  responses: { 200: PICTURE, ...FAILURES },
});

const WHOLE = createRoute({
  method: 'get',
  path: '/images/{id}/picture',
  request: {
    params: z.object({ id: IMAGE_ID }),
    query: z.object({ longest: z.coerce.number().int().min(16).max(MAX_LONGEST_PX).default(1600) }),
  },
  responses: { 200: PICTURE, ...FAILURES },
});

export function pictureRoutes({ pictures }: ReviewContext) {
  return new OpenAPIHono({ defaultHook: invalid })
    .openapi(THUMBNAIL, async (c) => {
      const { region } = c.req.valid('query');
      const bytes = await pictures.thumbnail({ imageId: c.req.valid('param').id, regionId: region });
      return c.body(own(bytes), 200, pictureHeaders(region === undefined ? FOR_EVER : 'private, max-age=60'));
    })
    .openapi(WHOLE, async (c) => {
      const bytes = await pictures.whole(c.req.valid('param').id, c.req.valid('query').longest);
      return c.body(own(bytes), 200, pictureHeaders(FOR_EVER));
    });
}

function pictureHeaders(caching: string) {
  return { 'content-type': 'image/webp', 'cache-control': caching };
}

/** Bytes that no pool shares. */
function own(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
