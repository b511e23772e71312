/**
 * `labelsmith/formats`: readers and writers of label files with no workspace, and what a new format is made of; exports
 * only. A reader gives images one after the other, a writer takes them so: neither holds a data set.
 */
export type { Box } from '../core/boxes.ts';
export type {
  DatasetImage,
  ImportedImage,
  ImportedLabel,
  ImportedRegion,
  Keypoints,
  LabelValue,
  MaskRle,
  ReadImage,
  RegionRecord,
  Rejection,
} from '../core/dataset.ts';
export type { ImageId, RegionId } from '../core/ids.ts';
export type { Origin, Task } from '../core/labels.ts';
export type { ProtectedPath } from '../files/place.ts';
export { outlinesOf, type Polygon } from './contours.ts';
export type { ImportedClass } from './format.ts';
export {
  type CropImage,
  EVERYTHING,
  type ExportContext,
  type ExportSummary,
  type Format,
  type FormatName,
  type ImagesMode,
  type Keeps,
  lossesOf,
  NEXT_TO_NOTHING,
  type ReadOptions,
  Tally,
  type WriteJob,
} from './format.ts';
export type {
  Count as ReckoningCount,
  Example as ReckoningExample,
  Problem as ReckoningProblem,
  Thing as ReckonedThing,
} from './reckoning.ts';
export { Reckoning, type ReckoningReport } from './reckoning.ts';
export { maskArea, polygonArea } from './rle.ts';
export { parseSplit, planSplits, type SplitPart, type SplitPlan } from './splits.ts';
export { FORMATS, formatNamed, guessFormat, readFormat } from './table.ts';
