/** The last change of what is known of images: of the two revisions that an image may have, the newer one. */
import { type Kysely, sql } from 'kysely';
import type { Schema } from './tables.ts';

/** Of rows of {@link revisedImages}. */
export const REVISION = sql<number>`case when image_revision.revision > image.revision
  then image_revision.revision else image.revision end`;

export function revisedImages(db: Kysely<Schema>) {
  return db
    .selectFrom('image')
    .leftJoin('image_revision', 'image_revision.image_id', 'image.id')
    .select(['image.id', REVISION.as('revision')]);
}
