/** What the report shows: plain data, bounded, with the pictures in it. `collectReport` makes it, `renderReport` draws it. */
import type { Box } from '../core/boxes.ts';
import type { ImageId, RegionId } from '../core/ids.ts';
import type { QualityFlag } from '../core/image.ts';
import type { Origin } from '../core/labels.ts';
import type { Markup } from '../core/markup.ts';
import type { QuarantineRow, RunRecord, SimilarPair } from '../store/store.ts';
import type { Pictures } from './picture.ts';
import type { ReportPicture, ReportShape } from './picture-data.ts';

export interface ReportData {
  readonly title: string;
  /** ISO 8601, UTC. */
  readonly generatedAt: string;
  readonly version: string;
  /** The folders, archives and lists the images came in by. */
  readonly sources: readonly string[];
  readonly totals: ReportTotals;
  /** Those with most images first. */
  readonly classes: readonly ReportClass[];
  /** Depth first, each node behind its parent; empty where nothing is labelled. */
  readonly tree: readonly ReportTreeNode[];
  readonly copies: readonly ReportCopies[];
  /** Largest first. */
  readonly groups: readonly ReportGroup[];
  readonly quality: readonly ReportFlag[];
  readonly quarantine: ReportQuarantine;
  /** Newest first. */
  readonly runs: readonly RunRecord[];
  /** Sections with data of their own, shown after the classes. */
  readonly gathered: readonly GatheredSection[];
  /** Every picture that is shown anywhere, once. An image that is not here is left out where it would be shown. */
  readonly pictures: ReadonlyMap<ImageId, ReportPicture>;
  /** Masks and keypoints of regions that are shown; a region that is not here is a box only. */
  readonly shapes: ReadonlyMap<RegionId, ReportShape>;
  /** Pictures left out to keep the file within its size. */
  readonly picturesLeftOut: number;
}

export interface ReportTotals {
  readonly images: number;
  /** Images with at least one class, of their own or of a region. */
  readonly labelledImages: number;
  readonly regions: number;
  readonly paths: number;
  /** Paths whose bytes another path has too. */
  readonly duplicatePaths: number;
  /** Groups of more than one image. */
  readonly groups: number;
  readonly groupedImages: number;
  readonly quarantined: number;
}

export interface ReportClass {
  readonly name: string;
  readonly task: string;
  readonly images: number;
  /** 0 where whole images are labelled. */
  readonly regions: number;
  /** Mean over its labels (of regions where there are regions), 0 to 1; null where no source gave one. */
  readonly meanConfidence: number | null;
  /** Labels by origin. */
  readonly origins: Readonly<Partial<Record<Origin, number>>>;
  readonly synonyms: readonly string[];
  readonly parent: string | null;
  readonly description: string | null;
  /** The most typical first, each next one different from those before it, one a group. */
  readonly typical: readonly Exemplar[];
  /** Least confident first, one a group, none of `typical`. */
  readonly doubtful: readonly Exemplar[];
}

export interface Exemplar {
  readonly imageId: ImageId;
  /** Of the label, or of the best region of the class in the image. */
  readonly confidence: number | null;
  /** The regions of this class, best first; empty where the whole image is labelled. */
  readonly regions: readonly ShownRegion[];
}

export interface ShownRegion {
  readonly id: RegionId;
  /** In pixels of the upright image. */
  readonly box: Box;
}

/** A class, or a heading over classes that is none itself, with what is labelled with it or with anything below it. */
export interface ReportTreeNode {
  readonly name: string;
  readonly parent: string | null;
  /** 0 at the top. */
  readonly depth: number;
  readonly heading: boolean;
  readonly description: string | null;
  readonly images: number;
  readonly regions: number;
}

/** The same bytes under several names. */
export interface ReportCopies {
  readonly imageId: ImageId;
  readonly count: number;
  /** The first few. */
  readonly paths: readonly string[];
}

/** Images that must stay on one side of any split. */
export interface ReportGroup {
  readonly id: ImageId;
  readonly count: number;
  readonly kinds: readonly SimilarPair['kind'][];
  /** The first few. */
  readonly members: readonly ImageId[];
}

export interface ReportFlag {
  readonly flag: QualityFlag;
  readonly count: number;
  readonly examples: readonly ImageId[];
}

export interface ReportQuarantine {
  readonly total: number;
  /** Most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
  /** The first in order of path. */
  readonly rows: readonly QuarantineRow[];
}

/** One part of the report. A part that has nothing to show gives null and is left out, with its link. */
export interface Section {
  /** Anchor and CSS hook. */
  readonly id: string;
  readonly title: string;
  readonly render: (data: ReportData, pictures: Pictures) => Markup | null;
  /** Rules for what only this section has; they begin with `#ID`. Constant, or made of numbers only. */
  readonly style?: string;
  /** Plain JavaScript for what only this section does; runs after the page's own. Constant: data goes into attributes. */
  readonly script?: string;
}

/**
 * A section that reads more than the one pass over the images gives, vectors say. `gather` is called once and holds what
 * it needs in the section that it gives: bounded, whatever the number of images. Null where there is nothing to show.
 */
export interface GatheredSection {
  readonly section: Section;
  /** Pictures it would show, those that matter most first; a picture left out for size is null in `Pictures.shot`. */
  readonly pictures: readonly ImageId[];
}
