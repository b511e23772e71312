/**
 * Opens models by name. One object for whoever works with a workspace, so that nothing below it decides where models are
 * cached, how they are fetched or whose threads they run on; a test gives its own.
 *
 * Whoever opens a model closes it.
 */
import type { Device } from '../onnx/device.ts';
import { type Detector, openDetector } from './detector.ts';
import { type Embedder, openEmbedder } from './embedder.ts';
import { type ImageClassifier, openImageClassifier } from './image-classifier.ts';
import type { OpenOptions } from './open-model.ts';
import { openPose, type PoseModel } from './pose.ts';
import type { PrepareOptions } from './prepare.ts';
import { type PreparedEmbedder, prepareEmbedder } from './prepare-embedder.ts';
import { openSegmenter, type Segmenter } from './segmenter.ts';

export interface ModelsOptions extends PrepareOptions {
  /** Default `cpu`. */
  readonly device?: Device;
}

export type OpenModelOptions = Pick<OpenOptions, 'threads' | 'pool'>;

export interface Models {
  openDetector(name: string, options?: OpenModelOptions): Promise<Detector>;
  /** @param name of a model, or of several side by side: `a+b`. */
  openEmbedder(name: string, options?: OpenModelOptions): Promise<Embedder>;
  /** The graph of an embedder, to build on, with nothing running. */
  prepareEmbedder(name: string): Promise<PreparedEmbedder>;
  openPose(name: string, options?: OpenModelOptions): Promise<PoseModel>;
  openImageClassifier(name: string, options?: OpenModelOptions): Promise<ImageClassifier>;
  openSegmenter(options?: Pick<OpenModelOptions, 'threads'>): Promise<Segmenter>;
}

/** The models of the catalogue and those that were imported. @param defaults where they are cached, how they are fetched, who is told, what they run on. */
export function createModels(defaults: ModelsOptions = {}): Models {
  const together = (options: OpenModelOptions = {}): OpenOptions => ({ ...defaults, ...options });
  return {
    openDetector: (name, options) => openDetector(name, together(options)),
    openEmbedder: (name, options) => openEmbedder(name, together(options)),
    prepareEmbedder: (name) => prepareEmbedder(name, defaults),
    openPose: (name, options) => openPose(name, together(options)),
    openImageClassifier: (name, options) => openImageClassifier(name, together(options)),
    openSegmenter: async (options) => openSegmenter(options),
  };
}
