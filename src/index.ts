/** The library's public face: exports only. `docs/library.md` shows how the parts go together. */

export type { BlobInfo, BlobStore } from './blobs/blob-store.ts';
export { folderBlobs } from './blobs/folder-blobs.ts';
export type { Box, Detections } from './core/boxes.ts';
export type { CorpusChange, CorpusClass, CorpusEvent, CorpusState, Reassignment } from './core/corpus.ts';
export type { DatasetImage, ImportedImage, LabelValue, RegionRecord } from './core/dataset.ts';
export type { IdSet } from './core/id-set.ts';
export type { ImageId, ItemId, RegionId, RunId } from './core/ids.ts';
export {
  type ImageFormat,
  type ImagePath,
  type ImageRecord,
  QUALITY_FLAGS,
  type Quality,
  type QualityFlag,
} from './core/image.ts';
export type { LabelAccuracy, StatedShare } from './core/label-accuracy.ts';
export {
  currentLabels,
  ITEM_KINDS,
  type ItemKind,
  type Label,
  ORIGINS,
  type Origin,
  type Task,
  type TaskRule,
} from './core/labels.ts';
export type { Markup } from './core/markup.ts';
export { type AcceptRules, accept, DEFAULT_ACCEPT_RULES, type ImageLabel } from './corpus/accept.ts';
export {
  type CorpusNode,
  change,
  corpusTree,
  type Operation as CorpusOperation,
  type SplitItem,
} from './corpus/corpus.ts';
export type { ClassCounts, ClassExemplar } from './corpus/counts.ts';
export type { TaxonomyEntry } from './corpus/operations.ts';
export { readTaxonomy, type TaxonomyClass, taxonomyFormatOf, writeTaxonomy } from './corpus/taxonomies.ts';
export type { TaxonomyNode } from './corpus/taxonomy.ts';
export { type ErrorCode, type ErrorOptions as LabelsmithErrorOptions, LabelsmithError } from './errors.ts';
export type { FetchProgress, SourceFile } from './fetch/fetch.ts';
export type { NpmSettings } from './fetch/npm-registry.ts';
export type { ExportSummary, FormatName } from './formats/format.ts';
export type { Outcome as ReckoningOutcome } from './formats/reckoning.ts';
export { Reckoning } from './formats/reckoning.ts';
export { FORMATS, readFormat } from './formats/table.ts';
export {
  type DecodeOptions,
  decodeLetterboxed,
  decodeUpright,
  type Kernel,
  type Letterboxed,
  type LetterboxOptions,
  type Pixels,
  type Rgb,
} from './images/decode.ts';
export { type InspectedImage, type InspectOptions, inspect } from './images/inspect.ts';
export { decodeForModel } from './images/pillow/decode.ts';
export type { ReadPath } from './jobs/image-reader.ts';
export { type LocalEngineOptions, localEngine } from './jobs/local-engine.ts';
export type { ReadErrorCounts } from './jobs/read-errors.ts';
export type {
  Counts as StageCounts,
  EachItem,
  Engine,
  Progress,
  RunOptions,
  StageDefinition,
  StageJob,
  StageSummary,
} from './jobs/stage.ts';
export type { StageEntry, StageWorker } from './jobs/stage-worker.ts';
export { type OpenWorkspaceOptions, openWorkspace, type Workspace } from './jobs/workspace.ts';
export { type BoxSegmenter, openBoxSegmenter } from './models/box-segmenter.ts';
export type {
  ClassifierEntry,
  Converter,
  DetectorEntry,
  EmbedderEntry,
  InputSpec,
  ModelEntry,
  ModelSource,
  PoseEntry,
  SegmenterEntry,
  ViewPart,
  ViewRecipe,
} from './models/bundle.ts';
export type { Recipe } from './models/compose-model.ts';
export { type Detector, type Frame, type OpenDetectorOptions, openDetector } from './models/detector.ts';
export type { Decoder } from './models/detectors/decoder.ts';
export { type Embedder, type OpenEmbedderOptions, openEmbedder } from './models/embedder.ts';
export { type ImageClassifier, openImageClassifier } from './models/image-classifier.ts';
export { type ImportOptions as ImportModelOptions, importModel } from './models/import.ts';
export type { AnalysedModel } from './models/import-analysis.ts';
export { type ModelListing, modelsList } from './models/list.ts';
export {
  createModels,
  type ModelCache,
  type Models,
  type ModelsOptions,
  type OpenModelOptions,
} from './models/models.ts';
export type { OpenOptions } from './models/open-model.ts';
export { openPose, type PoseModel } from './models/pose.ts';
export { type PreparedModel, type PrepareOptions, prepareModel } from './models/prepare.ts';
export type { PreparedEmbedder } from './models/prepare-embedder.ts';
export type { BoxCrop } from './models/segmenter/crop.ts';
export type { MaskLogits } from './models/segmenter/logits.ts';
export { openSegmenter, type Segmenter, type SegmenterInput, type SegmenterOptions } from './models/segmenter.ts';
export { openTextEncoder, type TextEncoder } from './models/text-encoder.ts';
export type { Vocabulary } from './models/vocabulary.ts';
export { type CollectOptions, collectReport, type ReportStore } from './report/collect.ts';
export { renderReport } from './report/html.ts';
export type { Pictures, ShotOptions } from './report/picture.ts';
export type { ReportPicture, ReportShape, Thumbnail } from './report/picture-data.ts';
export type { ReadThumbnail } from './report/pictures.ts';
export type {
  Exemplar,
  GatheredSection,
  ReportClass,
  ReportCopies,
  ReportData,
  ReportFlag,
  ReportGroup,
  ReportQuarantine,
  ReportTotals,
  ReportTreeNode,
  Section,
  ShownRegion,
} from './report/report-data.ts';
export type { ReadVectors } from './report/typical.ts';
export { type AuditSheetOptions, drawAuditSheet, type TakenAnswers, takeAnswers } from './review/audit.ts';
export type { SheetKind } from './review/audit-sheet.ts';
export { type ListedItem, readItemList } from './review/item-list.ts';
export type { SourceOptions } from './sources/listing.ts';
export type { ListOptions, Source, SourceEntry, SourceItem, SourceProblem } from './sources/source.ts';
export { type AddOptions, type AddResult, addTo } from './stages/add/add.ts';
export { type AddEstimate, estimateAdd } from './stages/add/estimate.ts';
export { openSources } from './stages/add/open-sources.ts';
export { answerAudit } from './stages/audit/answers.ts';
export { type AuditOptions, drawAudit } from './stages/audit/audit.ts';
export { type AuditResult, type ClassAccuracy, estimateAudit } from './stages/audit/estimate.ts';
export { type Classifier, type ClassifierInfo, openClassifier } from './stages/classify/classifier-file.ts';
export { type ClassifyOptions, type ClassifyResult, classifyIn } from './stages/classify/classify.ts';
export type { RunningClassifier } from './stages/classify/classify-stage.ts';
export { type Predicted, type Prediction, predictFiles, predictImage } from './stages/classify/predict.ts';
export {
  type DetectEstimate,
  type DetectOptions,
  type DetectResult,
  detectIn,
  estimateDetect,
} from './stages/detect/detect.ts';
export type { DetectDecoding } from './stages/detect/find-in-image.ts';
export { findPosesIn, type PoseOptions } from './stages/detect/pose.ts';
export { type SegmentOptions, segmentIn } from './stages/detect/segment.ts';
export type { ShapeResult } from './stages/detect/shape-stage.ts';
export { type DataMap, type Mark, type NearDuplicatePair, type Outlier, readMap } from './stages/discover/data-map.ts';
export { discoverIn } from './stages/discover/discover.ts';
export type { Candidate as NameCandidate, Evidence, HypernymsOf } from './stages/discover/evidence.ts';
export type { Voter } from './stages/discover/gather-evidence.ts';
export type { MapEffects } from './stages/discover/map-record.ts';
export type { DiscoveredCluster, DiscoverOptions, DiscoverResult, OutlierFile } from './stages/discover/options.ts';
export {
  type EmbedEstimate,
  type EmbedOptions,
  type EmbedResult,
  embedIn,
  estimateEmbed,
} from './stages/embed/embed.ts';
export { evaluate } from './stages/evaluate/evaluate.ts';
export type {
  CandidateSource,
  ClassificationPart,
  ClusteringPart,
  Evaluation,
  EvaluationDetails,
  ImagePrediction,
  Predictions,
} from './stages/evaluate/evaluation.ts';
export type { Truth as GroundTruth, TruthImage } from './stages/evaluate/ground-truth.ts';
export type { WorkspaceExport } from './stages/export/export.ts';
export { type ExportEffects, type ExportOptions, exportWorkspace } from './stages/export/export.ts';
export { exportIn } from './stages/export/export-in.ts';
export type { NewClass } from './stages/import/classes.ts';
export type { Corrections } from './stages/import/corrections.ts';
export { type ImportOptions, type ImportSummary, importLabels } from './stages/import/import.ts';
export { importIn } from './stages/import/import-in.ts';
export { type MatchedClass, type MatchOptions, type MatchResult, matchIn } from './stages/match/match.ts';
export type { Matched } from './stages/match/prototypes.ts';
export type { ReferenceProblem } from './stages/match/references.ts';
export { type SimilarImage, type SimilarOptions, similarTo } from './stages/similar/similar.ts';
export { STAGES } from './stages/table.ts';
export type { BackboneTrial } from './stages/teach/backbones.ts';
export type { TaskEvaluation } from './stages/teach/evaluation.ts';
export type { Step as LearningStep } from './stages/teach/learn-rounds.ts';
export type { CurvePoint, LearningCurve } from './stages/teach/learning-curve.ts';
export type { MethodName } from './stages/teach/methods.ts';
export type { SearchWidth } from './stages/teach/search.ts';
export { type Question, type SelectInOptions, type SelectResult, selectIn } from './stages/teach/select-stage.ts';
export type { TaughtAccuracy } from './stages/teach/stated-accuracy.ts';
export { DEFAULT_THRESHOLD, type TeachOptions, teachIn } from './stages/teach/teach.ts';
export type { TeachResult } from './stages/teach/teach-result.ts';
export type { ArtifactStore, StoredArtifact } from './store/artifact-store.ts';
export type {
  AuditAnswer,
  AuditItem,
  AuditRecord,
  AuditStore,
  AuditVerdict,
  HeldOutDraw,
  NewAudit,
} from './store/audit-store.ts';
export type { ClassDetails, ClassRecord, CorpusStore } from './store/corpus-store.ts';
export type { DatasetQuery, DatasetStore } from './store/dataset-store.ts';
export type { AcceptedRegion, DetectionItem, DetectionShard, DetectionStore } from './store/detection-store.ts';
export type { GroupFacts, GroupStore, SimilarPair } from './store/group-store.ts';
export type { HousekeepingStore, StoreSummary } from './store/housekeeping-store.ts';
export type { Forgotten, ImageFilter, ImageStore, IngestShard, KnownPath } from './store/image-store.ts';
export type {
  ItemFilter,
  ItemOrder,
  ItemPage,
  ItemStore,
  PageItem,
  PageRequest,
  SaidOfAll,
} from './store/item-store.ts';
export type { LabelStore, NewLabel } from './store/label-store.ts';
export type { QuarantineRow, QuarantineStore } from './store/quarantine-store.ts';
export type { ReferenceStore, StoredReference } from './store/reference-store.ts';
export type { RegionStore, StoredRegion } from './store/region-store.ts';
export type { NewRun, RunOutcome, RunRecord, RunStore } from './store/run-store.ts';
export type { RegionShapeOf, ShapeItem, ShapeQuery, ShapeShard, ShapeStore } from './store/shape-store.ts';
export type { SplitStore } from './store/split-store.ts';
export type { Store } from './store/store.ts';
export type { VectorIndex, VectorShard } from './store/vector-index.ts';
export type { NewVectorShard, VectorStore, Vectors } from './vectors/vector-store.ts';
