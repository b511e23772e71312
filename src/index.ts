/** The library's public face: exports only. `docs/library.md` shows how the parts go together. */
export type { Box, Detections } from './core/boxes.ts';
export type { DatasetImage, ImportedImage, LabelValue, RegionRecord } from './core/dataset.ts';
export type { ImageId, ItemId, RegionId } from './core/ids.ts';
export type { ImagePath, ImageRecord, QualityFlag } from './core/image.ts';
export { currentLabels, type Label, type Origin, type Task } from './core/labels.ts';
export { change, corpusTree } from './corpus/corpus.ts';
export { type ErrorCode, LabelsmithError } from './errors.ts';
export { drawAuditSheet, takeAnswers } from './formats/audits.ts';
export type { ExportSummary, FormatName } from './formats/format.ts';
export { type ExportOptions, exportWorkspace } from './formats/from-store.ts';
export { type ImportOptions, importLabels } from './formats/into-store.ts';
export { readItemList } from './formats/item-list.ts';
export { FORMATS, readFormat } from './formats/table.ts';
export { readTaxonomy, taxonomyFormatOf, writeTaxonomy } from './formats/taxonomies.ts';
export { decodeLetterboxed, decodeUpright } from './images/decode.ts';
export { inspect } from './images/inspect.ts';
export { type AcceptRules, accept, DEFAULT_ACCEPT_RULES } from './labelling/accept.ts';
export { answerAudit, drawAudit, estimateAudit } from './labelling/audit.ts';
export { type DetectOptions, type DetectResult, detectIn, estimateDetect } from './labelling/detect.ts';
export { type DataMap, type Mark, readMap } from './labelling/discover/data-map.ts';
export {
  type DiscoveredCluster,
  type DiscoverOptions,
  type DiscoverResult,
  discoverIn,
} from './labelling/discover/discover.ts';
export { type EmbedOptions, type EmbedResult, embedIn, estimateEmbed } from './labelling/embed.ts';
export { matchIn } from './labelling/match/match.ts';
export { findPosesIn, type PoseOptions } from './labelling/pose.ts';
export { type SegmentOptions, segmentIn } from './labelling/segment.ts';
export { similarTo } from './labelling/similar/similar.ts';
export { type Classifier, type ClassifierInfo, openClassifier } from './labelling/teach/classifier-file.ts';
export { type ClassifyOptions, type ClassifyResult, classifyIn } from './labelling/teach/classify-stage.ts';
export { type Predicted, type Prediction, predictFiles, predictImage } from './labelling/teach/predict.ts';
export { type SelectInOptions, type SelectResult, selectIn } from './labelling/teach/select-stage.ts';
export { DEFAULT_THRESHOLD, type TeachOptions, type TeachResult, teachIn } from './labelling/teach/teach.ts';
export { type Detector, openDetector } from './models/detector.ts';
export { type Embedder, openEmbedder } from './models/embedder.ts';
export { type ImageClassifier, openImageClassifier } from './models/image-classifier.ts';
export { importModel } from './models/import.ts';
export { modelsList } from './models/list.ts';
export { openPose, type PoseModel } from './models/pose.ts';
export { prepareModel } from './models/prepare.ts';
export { openSegmenter, type Segmenter } from './models/segmenter.ts';
export { type AddOptions, type AddResult, addTo, estimateAdd, openSources } from './pipeline/ingest.ts';
export { localEngine } from './pipeline/local-engine.ts';
export type { Engine, Progress, Shard, Stage } from './pipeline/stage.ts';
export { openWorkspace, type Workspace } from './pipeline/workspace.ts';
export { collectReport } from './report/collect.ts';
export { evaluate } from './report/evaluate.ts';
export { renderReport } from './report/html.ts';
export type { Store } from './store/store.ts';
