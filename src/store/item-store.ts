/**
 * Items page by page: what a person looks through, and what is said of everything that matches at once. A part of the
 * store's contract (`store.ts`).
 *
 * A filter is data that can be written as JSON: "everything that matches" travels as the filter and not as a list of ids.
 * It asks about what holds (`currentLabels`), whoever else has said something else.
 */
import { z } from 'zod';
import type { ImageId, ItemId } from '../core/ids.ts';
import { QUALITY_FLAGS } from '../core/image.ts';
import { ITEM_KINDS, type ItemKind, type Label, ORIGINS } from '../core/labels.ts';
import type { WriteOptions } from './operation-store.ts';

/** Linux takes no longer path (`PATH_MAX`); what is looked for is a piece of one. */
const MAX_PATH_TEXT = 4096;
const CONFIDENCE = z.number().min(0).max(1);

/** All that is given must be true of an item. */
export const ITEM_FILTER = z
  .strictObject({
    /** Whose labels are asked about and given. What asks about labels needs it. */
    task: z.string().optional(),
    /** Default: what the task is about; without a task, images. */
    items: z.enum(ITEM_KINDS).optional(),
    /** Whether any label holds. */
    state: z.enum(['labelled', 'unlabelled']).optional(),
    /** A label that holds is of this class; a synonym, or the name of a class that was merged into it, means the same. */
    className: z.string().optional(),
    /** …has one of these origins. */
    origins: z.array(z.enum(ORIGINS)).min(1).readonly().optional(),
    /** …has at least this confidence. */
    minConfidence: CONFIDENCE.optional(),
    /** …has at most this confidence. */
    maxConfidence: CONFIDENCE.optional(),
    /** Clustering gave it this class, whether that holds or not. */
    cluster: z.string().optional(),
    flag: z.enum(QUALITY_FLAGS).optional(),
    /** The image is of this group. */
    groupId: z.string().optional(),
    /** Other images are of the image's group: near-duplicates, bursts, crops. */
    duplicates: z.literal(true).optional(),
    /** A path of the image has this text in it; Latin letters without accents count the same, large and small. */
    path: z
      .string()
      .min(1)
      .max(MAX_PATH_TEXT)
      .refine((text) => !text.includes('\0'), 'no path has a NUL character in it')
      .optional(),
    /** Items of images of which no path is there any more come too. Default false. */
    gone: z.boolean().optional(),
  })
  .readonly();
export type ItemFilter = z.infer<typeof ITEM_FILTER>;

/**
 * `id`: images in order of id, regions within them. `confidence`: the surest first; `uncertainty`: the least sure first; of
 * several labels of an item the one that comes first counts, and items without one are not there. `newest`, `oldest`: by
 * the time the picture was taken; pictures that do not say when count as older than all others.
 */
export const ITEM_ORDERS = ['id', 'confidence', 'uncertainty', 'newest', 'oldest'] as const;
export type ItemOrder = (typeof ITEM_ORDERS)[number];

export interface PageRequest {
  readonly filter?: ItemFilter;
  /** Default `id`. */
  readonly order?: ItemOrder;
  /** `next` of the page before. */
  readonly after?: string;
  /** 1 to {@link MAX_PAGE_ITEMS}. */
  readonly limit: number;
}

export const MAX_PAGE_ITEMS = 1000;

/** Ids alone are small: a million of them come in 50 parts. */
export const MAX_PACKED_ITEMS = 20_000;

/** Items as their ids alone. */
export interface PackedItems {
  /** In order, of each its image's id (32 bytes); where items are regions, its own after it (16 bytes). */
  readonly ids: Uint8Array<ArrayBuffer>;
  readonly count: number;
  readonly kind: ItemKind;
  /** As in {@link ItemPage}, but the part after it may be empty. */
  readonly next: string | null;
}

export interface HeldRequest {
  /** With one class an item. */
  readonly task: string;
  /** `next` of the part before. */
  readonly after?: string;
  /** 1 to {@link MAX_PACKED_ITEMS}. */
  readonly limit: number;
  /** `cluster`: what clustering said, whether it holds or not. Default: what holds. */
  readonly of?: 'cluster';
}

/**
 * Of images that have such a label, in order of id: columns of one length. All rows of an image are in one part, which is
 * longer than `limit` where one image alone has more.
 */
export interface HeldColumns {
  /** 32 bytes each. */
  readonly ids: Uint8Array<ArrayBuffer>;
  /** Those of this part, each once. */
  readonly classNames: readonly string[];
  /** Place in `classNames`. */
  readonly classOf: Int32Array;
  readonly confidences: Float32Array;
  /** Place in `ORIGINS`. */
  readonly originOf: Uint8Array;
  /** The part after it may be empty. */
  readonly next: string | null;
}

export interface ItemPage {
  readonly items: readonly PageItem[];
  /** What to ask with for the next page; null where there is none. */
  readonly next: string | null;
}

export interface PageItem {
  readonly itemId: ItemId;
  readonly imageId: ImageId;
  /** Of the image, for writes that expect it unchanged. */
  readonly revision: number;
  /** What holds of the item in the filter's task, best first; empty without a task. */
  readonly labels: readonly Label[];
}

/** What a person says of everything that matches. */
export interface SaidOfAll {
  readonly className: string;
  /** Default true. False is "not this". */
  readonly present?: boolean;
  readonly annotator?: string;
}

export interface ItemStore {
  /**
   * Each item once, in an order that leaves no ties. A page is where its cursor says, whatever was written since: an item
   * whose place did not change comes in one page and no other. A cursor of another order is refused.
   */
  page(request: PageRequest): Promise<ItemPage>;
  /** The same items in the same order, without what holds of them: at most {@link MAX_PACKED_ITEMS} at once. */
  packed(request: PageRequest): Promise<PackedItems>;
  /** What holds of all images of a task, part by part; images that are gone are left out. */
  heldColumns(request: HeldRequest): Promise<HeldColumns>;
  countItems(filter?: ItemFilter): Promise<number>;
  /** About how many: 64 times those in a 64th of all images, at once also where counting looks at a million. */
  estimateItems(filter?: ItemFilter): Promise<number>;
  /**
   * A person's word about every item that matches, as one operation, to be undone as one. The filter needs a task, whose labels
   * are written. Gives how many items there were; nothing is written where there was none.
   *
   * Of images it is written in parts, each of which is there whole or not at all, so that others who write wait for a fraction
   * of a second. One that was stopped in between has labelled the images of the parts before, and undo takes those back.
   */
  setLabels(filter: ItemFilter, said: SaidOfAll, options?: Omit<WriteOptions, 'expected'>): Promise<number>;
}
