/** The library's public face: exports only. `docs/library.md` shows how the parts go together. */
export type { Box, Detections } from './core/boxes.ts';
export type { CorpusChange, CorpusClass, CorpusEvent, CorpusState, Reassignment } from './core/corpus.ts';
export type { DatasetImage, ImportedImage, LabelValue, RegionRecord } from './core/dataset.ts';
export type { IdSet } from './core/id-set.ts';
export type { ImageId, ItemId, RegionId } from './core/ids.ts';
export type { ImageFormat, ImagePath, ImageRecord, Quality, QualityFlag } from './core/image.ts';
export { QUALITY_FLAGS } from './core/image.ts';
export type { ItemKind, TaskRule } from './core/labels.ts';
export { currentLabels, ITEM_KINDS, type Label, ORIGINS, type Origin, type Task } from './core/labels.ts';
export type { Markup } from './core/markup.ts';
export type { ImageLabel } from './corpus/accept.ts';
export { type AcceptRules, accept, DEFAULT_ACCEPT_RULES } from './corpus/accept.ts';
export type { CorpusNode, Operation as CorpusOperation, SplitItem } from './corpus/corpus.ts';
export { change, corpusTree } from './corpus/corpus.ts';
export type { ClassCounts, ClassExemplar } from './corpus/counts.ts';
export type { TaxonomyEntry } from './corpus/operations.ts';
export type { TaxonomyClass } from './corpus/taxonomies.ts';
export { readTaxonomy, taxonomyFormatOf, writeTaxonomy } from './corpus/taxonomies.ts';
export type { TaxonomyNode } from './corpus/taxonomy.ts';
export type { ErrorOptions as LabelsmithErrorOptions } from './errors.ts';
export { type ErrorCode, LabelsmithError } from './errors.ts';
export type { FetchProgress, SourceFile } from './fetch/fetch.ts';
export type { NpmSettings } from './fetch/npm-registry.ts';
export type { ExportSummary, FormatName } from './formats/format.ts';
export { FORMATS, readFormat } from './formats/table.ts';
export type { DecodeOptions, Kernel, Letterboxed, LetterboxOptions, Pixels, Rgb } from './images/decode.ts';
export { decodeLetterboxed, decodeUpright } from './images/decode.ts';
export type { InspectedImage, InspectOptions } from './images/inspect.ts';
export { inspect } from './images/inspect.ts';
export type { ReadPath } from './jobs/image-reader.ts';
export type { LocalEngineOptions } from './jobs/local-engine.ts';
export { localEngine } from './jobs/local-engine.ts';
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
export { type OpenWorkspaceOptions, openWorkspace, type Workspace } from './jobs/workspace.ts';
export type {
  ClassifierEntry,
  Converter,
  DetectorEntry,
  EmbedderEntry,
  InputSpec,
  ModelEntry,
  ModelSource,
  PoseEntry,
  ViewPart,
  ViewRecipe,
} from './models/catalogue.ts';
export type { Recipe } from './models/compose-model.ts';
export type { Frame } from './models/detector.ts';
export { type Detector, openDetector } from './models/detector.ts';
export type { Decoder } from './models/detectors/decoder.ts';
export type { OpenEmbedderOptions } from './models/embedder.ts';
export { type Embedder, openEmbedder } from './models/embedder.ts';
export { type ImageClassifier, openImageClassifier } from './models/image-classifier.ts';
export type { ImportedModel, ImportOptions as ImportModelOptions } from './models/import.ts';
export { importModel } from './models/import.ts';
export type { ModelListing } from './models/list.ts';
export { modelsList } from './models/list.ts';
export type { ModelsOptions, OpenModelOptions } from './models/models.ts';
export { createModels, type Models } from './models/models.ts';
export type { OpenOptions } from './models/open-model.ts';
export { openPose, type PoseModel } from './models/pose.ts';
export type { PreparedModel, PrepareOptions } from './models/prepare.ts';
export { prepareModel } from './models/prepare.ts';
export type { PreparedEmbedder } from './models/prepare-embedder.ts';
export type { BoxCrop } from './models/segmenter/crop.ts';
export type { SegmenterInput, SegmenterOptions } from './models/segmenter.ts';
export { openSegmenter, type Segmenter } from './models/segmenter.ts';
export type { CollectOptions, ReadThumbnail, ReportStore } from './report/collect.ts';
export { collectReport } from './report/collect.ts';
export { renderReport } from './report/html.ts';
export type { Pictures, ShotOptions } from './report/picture.ts';
export type { ReportPicture, ReportShape, Thumbnail } from './report/picture-data.ts';
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
export type { AuditSheetOptions, TakenAnswers } from './review/audit.ts';
export { drawAuditSheet, takeAnswers } from './review/audit.ts';
export type { SheetKind } from './review/audit-sheet.ts';
export type { ListedItem } from './review/item-list.ts';
export { readItemList } from './review/item-list.ts';
export type { SourceOptions } from './sources/listing.ts';
export type { ListOptions, Source, SourceEntry, SourceItem, SourceProblem } from './sources/source.ts';
export { type AddOptions, type AddResult, addTo } from './stages/add/add.ts';
export type { AddEstimate } from './stages/add/estimate.ts';
export { estimateAdd } from './stages/add/estimate.ts';
export { openSources } from './stages/add/open-sources.ts';
export type { AuditOptions, AuditResult, ClassAccuracy } from './stages/audit/audit.ts';
export { answerAudit, drawAudit, estimateAudit } from './stages/audit/audit.ts';
export { type Classifier, type ClassifierInfo, openClassifier } from './stages/classify/classifier-file.ts';
export { type ClassifyOptions, type ClassifyResult, classifyIn } from './stages/classify/classify.ts';
export type { RunningClassifier } from './stages/classify/classify-stage.ts';
export { type Predicted, type Prediction, predictFiles, predictImage } from './stages/classify/predict.ts';
export type { DetectEstimate } from './stages/detect/detect.ts';
export { type DetectOptions, type DetectResult, detectIn, estimateDetect } from './stages/detect/detect.ts';
export type { DetectDecoding } from './stages/detect/find-in-image.ts';
export { findPosesIn, type PoseOptions } from './stages/detect/pose.ts';
export { type SegmentOptions, segmentIn } from './stages/detect/segment.ts';
export type { ShapeResult } from './stages/detect/shape-stage.ts';
export type { NearDuplicatePair, Outlier } from './stages/discover/data-map.ts';
export { type DataMap, type Mark, readMap } from './stages/discover/data-map.ts';
export { discoverIn } from './stages/discover/discover.ts';
export type { Candidate as NameCandidate, Evidence, HypernymsOf } from './stages/discover/evidence.ts';
export type { Voter } from './stages/discover/gather-evidence.ts';
export type { MapEffects } from './stages/discover/map-record.ts';
export type { DiscoveredCluster, DiscoverOptions, DiscoverResult, OutlierFile } from './stages/discover/options.ts';
export type { EmbedEstimate } from './stages/embed/embed.ts';
export { type EmbedOptions, type EmbedResult, embedIn, estimateEmbed } from './stages/embed/embed.ts';
export type {
  CandidateSource,
  ClassificationPart,
  ClusteringPart,
  Evaluation,
  EvaluationDetails,
  ImagePrediction,
  Predictions,
} from './stages/evaluate/evaluate.ts';
export { evaluate } from './stages/evaluate/evaluate.ts';
export type { Truth as GroundTruth, TruthImage } from './stages/evaluate/ground-truth.ts';
export type { ExportEffects } from './stages/export/export.ts';
export { type ExportOptions, exportWorkspace } from './stages/export/export.ts';
export type { ImportSummary } from './stages/import/import.ts';
export { type ImportOptions, importLabels } from './stages/import/import.ts';
export type { MatchedClass, MatchOptions, MatchResult } from './stages/match/match.ts';
export { matchIn } from './stages/match/match.ts';
export type { Matched } from './stages/match/prototypes.ts';
export type { ReferenceProblem } from './stages/match/references.ts';
export type { SimilarImage, SimilarOptions } from './stages/similar/similar.ts';
export { similarTo } from './stages/similar/similar.ts';
export type { BackboneTrial } from './stages/teach/backbones.ts';
export type { Account } from './stages/teach/evaluation.ts';
export type { Step as LearningStep } from './stages/teach/learn-rounds.ts';
export type { LearningCurve } from './stages/teach/learning-curve.ts';
export type { TechniqueName } from './stages/teach/methods.ts';
export type { SearchWidth } from './stages/teach/search.ts';
export type { Question } from './stages/teach/select-stage.ts';
export { type SelectInOptions, type SelectResult, selectIn } from './stages/teach/select-stage.ts';
export { DEFAULT_THRESHOLD, type TeachOptions, type TeachResult, teachIn } from './stages/teach/teach.ts';
export type { AuditAnswer, AuditItem, AuditRecord, AuditStore, AuditVerdict, NewAudit } from './store/audit-store.ts';
export type { ClassDetails, ClassRecord, CorpusStore } from './store/corpus-store.ts';
export type { DatasetQuery, DatasetStore } from './store/dataset-store.ts';
export type { AcceptedRegion, DetectionItem, DetectionShard, DetectionStore } from './store/detection-store.ts';
export type { GroupFacts, GroupStore, SimilarPair } from './store/group-store.ts';
export type { HousekeepingStore, StoreSummary } from './store/housekeeping-store.ts';
export type { Forgotten, ImageFilter, ImageStore, IngestShard, KnownPath } from './store/image-store.ts';
export type { LabelStore, NewLabel } from './store/label-store.ts';
export type { QuarantineRow, QuarantineStore } from './store/quarantine-store.ts';
export type { RegionStore, StoredRegion } from './store/region-store.ts';
export type { NewRun, RunOutcome, RunRecord, RunStore } from './store/run-store.ts';
export type { RegionShapeOf, ShapeItem, ShapeQuery, ShapeShard, ShapeStore } from './store/shape-store.ts';
export type { SplitStore } from './store/split-store.ts';
export type { Store } from './store/store.ts';
export type { VectorIndex, VectorShard } from './store/vector-index.ts';
export type { NewVectorShard, VectorStore, Vectors } from './vectors/vector-store.ts';
