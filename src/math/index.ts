/**
 * `labelsmith/math`: the numeric engine's public face, exports only. Everything heavy runs on a pool of threads that the
 * caller makes and closes; a seed fixes what is random; nothing that is passed in is changed.
 */

export { type DType, ELEMENT_TYPES } from '../onnx/element-types.ts';
export { InferencePool, type LoadOptions, type PoolModel, type PoolOptions } from '../onnx/pool.ts';
export type { Tensors, ValueTypes } from '../onnx/session.ts';
export type { NumericDType, Tensor, TensorArray } from '../onnx/tensor.ts';
export type { Dim, Shape, ValueType } from '../onnx/value.ts';
export { argMaxRows, fitTemperature, meanCrossEntropy, softmaxRows } from './calibration.ts';
export { float16ToFloat32, float32ToFloat16 } from './float16.ts';
export { type Diffusion, type DiffusionOptions, diffusionMap } from './graph-cluster/diffusion.ts';
export { fuzzyGraph } from './graph-cluster/fuzzy-graph.ts';
export { type HdbscanOptions, type HdbscanResult, hdbscan } from './graph-cluster/hdbscan.ts';
export type { SparseMatrix } from './graph-cluster/sparse.ts';
export { cutTree, type MergeTree, wardTree } from './graph-cluster/ward.ts';
export {
  balancedWeights,
  fitLinearHead,
  type LinearHead,
  type LinearHeadOptions,
  logitsOf,
  oneHot,
  type TrainingSet,
} from './heads/linear-head.ts';
export { fitMlpHead, type MlpHead, type MlpHeadOptions, mlpLogits } from './heads/mlp-head.ts';
export { type KMeansOptions, type KMeansResult, kmeans } from './kmeans/kmeans.ts';
export type { LloydResult } from './kmeans/lloyd.ts';
export { type MiniBatchOptions, type MiniBatchResult, miniBatchKMeans } from './kmeans/mini-batch.ts';
export { exactIndex } from './knn/exact.ts';
export { type NeighbourGraph, neighbourGraph } from './knn/graph.ts';
export { type NeighbourIndex, type Neighbours, recall } from './knn/neighbours.ts';
export { type LabelDoubt, rankLabelErrors } from './label-errors.ts';
export { type LayoutOptions, layOut } from './layout/umap.ts';
export type { Hashed, HashFamily } from './lsh/family.ts';
export { LshIndex, type LshOptions, type LshSearchOptions } from './lsh/lsh-index.ts';
export { gatherRows, type Matrix, matrix, normalisedRows } from './matrix.ts';
export * from './metrics/classification.ts';
export { type ClusteringMetrics, clusteringMetrics, type SilhouetteOptions, silhouette } from './metrics/clustering.ts';
export * from './metrics/detection.ts';
export { clopperPearson, type Proportion, type StratumSample, stratifiedInterval } from './metrics/interval.ts';
export { auroc, averagePrecision } from './metrics/ranking.ts';
export { fitPca, type Pca, type PcaOptions, type ProjectionOptions, project } from './pca/pca.ts';
