/** The library's public face: exports only. `docs/library.md` shows how the parts go together. */
export type { Box, Detections } from './core/boxes.ts';
export type { DatasetImage, ImportedImage, LabelValue, RegionRecord } from './core/dataset.ts';
export type { ImageId, ItemId, RegionId } from './core/ids.ts';
export type { ImagePath, ImageRecord, QualityFlag } from './core/image.ts';
export { currentLabels, type Label, type Origin, type Task } from './core/labels.ts';
export { type AcceptRules, accept, DEFAULT_ACCEPT_RULES } from './corpus/accept.ts';
export { change, corpusTree } from './corpus/corpus.ts';
export { readTaxonomy, taxonomyFormatOf, writeTaxonomy } from './corpus/taxonomies.ts';
export { type ErrorCode, LabelsmithError } from './errors.ts';
export type { ExportSummary, FormatName } from './formats/format.ts';
export { FORMATS, readFormat } from './formats/table.ts';
export { decodeLetterboxed, decodeUpright } from './images/decode.ts';
export { inspect } from './images/inspect.ts';
export { localEngine } from './jobs/local-engine.ts';
export type { Engine, Progress, Shard, Stage } from './jobs/stage.ts';
export { openWorkspace, type Workspace } from './jobs/workspace.ts';
export { type Detector, openDetector } from './models/detector.ts';
export { type Embedder, openEmbedder } from './models/embedder.ts';
export { type ImageClassifier, openImageClassifier } from './models/image-classifier.ts';
export { importModel } from './models/import.ts';
export { modelsList } from './models/list.ts';
export { openPose, type PoseModel } from './models/pose.ts';
export { prepareModel } from './models/prepare.ts';
export { openSegmenter, type Segmenter } from './models/segmenter.ts';
export { collectReport } from './report/collect.ts';
export { renderReport } from './report/html.ts';
export { drawAuditSheet, takeAnswers } from './review/audit.ts';
export { readItemList } from './review/item-list.ts';
export { type AddOptions, type AddResult, addTo, estimateAdd, openSources } from './stages/add/add.ts';
export { answerAudit, drawAudit, estimateAudit } from './stages/audit/audit.ts';
export { type Classifier, type ClassifierInfo, openClassifier } from './stages/classify/classifier-file.ts';
export { type ClassifyOptions, type ClassifyResult, classifyIn } from './stages/classify/classify.ts';
export { type Predicted, type Prediction, predictFiles, predictImage } from './stages/classify/predict.ts';
export { type DetectOptions, type DetectResult, detectIn, estimateDetect } from './stages/detect/detect.ts';
export { findPosesIn, type PoseOptions } from './stages/detect/pose.ts';
export { type SegmentOptions, segmentIn } from './stages/detect/segment.ts';
export { type DataMap, type Mark, readMap } from './stages/discover/data-map.ts';
export {
  type DiscoveredCluster,
  type DiscoverOptions,
  type DiscoverResult,
  discoverIn,
} from './stages/discover/discover.ts';
export { type EmbedOptions, type EmbedResult, embedIn, estimateEmbed } from './stages/embed/embed.ts';
export { evaluate } from './stages/evaluate/evaluate.ts';
export { type ExportOptions, exportWorkspace } from './stages/export/export.ts';
export { type ImportOptions, importLabels } from './stages/import/import.ts';
export { matchIn } from './stages/match/match.ts';
export { similarTo } from './stages/similar/similar.ts';
export { type SelectInOptions, type SelectResult, selectIn } from './stages/teach/select-stage.ts';
export { DEFAULT_THRESHOLD, type TeachOptions, type TeachResult, teachIn } from './stages/teach/teach.ts';
export type { Store } from './store/store.ts';
