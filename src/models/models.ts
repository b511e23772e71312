/**
 * Opens models by name. One object for whoever works with a workspace, so that nothing below it decides where models are
 * cached, how they are fetched or whose threads they run on; a test gives its own.
 *
 * Whoever opens a model closes it. What opens a kind of model is loaded when one is opened: a workspace that needs no model
 * starts without it.
 */

import { cacheDirectory } from '../fetch/cache.ts';
import type { Device } from '../onnx/device.ts';
import type { BoxSegmenter } from './box-segmenter.ts';
import type { ModelEntry } from './bundle.ts';
import type { QualityChoice } from './choose-by-quality.ts';
import type { EmbedderChoice, Quality } from './choose-embedder.ts';
import type { Detector, OpenDetectorOptions } from './detector.ts';
import type { Embedder } from './embedder.ts';
import type { ImportModelRequest } from './hub/named.ts';
import type { HubReach } from './hub/reachable.ts';
import type { ImageClassifier } from './image-classifier.ts';
import type { ImportOptions } from './import.ts';
import type { AnalysedModel } from './import-analysis.ts';
import type { ModelListing } from './list.ts';
import type { OpenOptions } from './open-model.ts';
import type { PoseModel } from './pose.ts';
import type { PreparedModel, PrepareOptions } from './prepare.ts';
import type { PreparedEmbedder } from './prepare-embedder.ts';
import type { Segmenter } from './segmenter.ts';
import type { TextEncoder } from './text-encoder.ts';
import type { TextReader } from './text-reader.ts';
import type { TaughtDetector } from './tuning/detector/add-detector.ts';
import type { TunableDetector } from './tuning/detector/tunable-detector.ts';
import type { TunableEmbedder } from './tuning/tunable-embedder.ts';

export interface ModelsOptions extends PrepareOptions {
  /** Default `cpu`. */
  readonly device?: Device;
}

export type OpenModelOptions = Pick<OpenOptions, 'threads' | 'pool'>;

export interface Models {
  /** @param options with `vocabulary` for a detector whose classes are words */
  openDetector(name: string, options?: OpenModelOptions & Pick<OpenDetectorOptions, 'vocabulary'>): Promise<Detector>;
  /** @param name of a model, or of several side by side: `a+b`. */
  openEmbedder(name: string, options?: OpenModelOptions): Promise<Embedder>;
  /** Which embedder to use where nobody names one. */
  chooseEmbedder(quality?: Quality): Promise<EmbedderChoice>;
  /** The detector, or the model of masks, of a quality; `otherwise` where none of the hub's can be had. */
  chooseByQuality(
    role: 'detector' | 'segmenter',
    quality: Quality,
    otherwise: string | undefined,
  ): Promise<QualityChoice>;
  /** The embedders that can be tried with no download. */
  embeddersHere(): Promise<string[]>;
  /** The graph of an embedder, to build on, with nothing running. */
  prepareEmbedder(name: string): Promise<PreparedEmbedder>;
  /** An embedder with its network open for training. */
  tunableEmbedder(name: string): Promise<TunableEmbedder>;
  /** A detector that classes can be added to. @param anew classes that it shall know nothing of */
  tunableDetector(name: string, anew?: readonly string[]): Promise<TunableDetector>;
  /** Fails where a detector of that file could not have the name. */
  refuseTaken(name: string, file: string): Promise<void>;
  /** Keeps a detector that was taught classes under its name, beside the imported ones. */
  addDetector(taught: TaughtDetector): Promise<ModelEntry>;
  /** What was imported or taught under a name, if anything. */
  imported(name: string): Promise<ModelEntry | undefined>;
  /** Keeps a model that was taught elsewhere under its name, in the place of what had it. Its files are here. */
  adopt(entry: ModelEntry): Promise<void>;
  openPose(name: string, options?: OpenModelOptions): Promise<PoseModel>;
  openImageClassifier(name: string, options?: OpenModelOptions): Promise<ImageClassifier>;
  openSegmenter(options?: Pick<OpenModelOptions, 'threads'>): Promise<Segmenter>;
  /** Masks by box from a network, by its name. */
  openBoxSegmenter(name: string, options?: OpenModelOptions): Promise<BoxSegmenter>;
  /** What reads the words in pictures. @param name default: the one that there is */
  openTextReader(name?: string, options?: OpenModelOptions): Promise<TextReader>;
  /** The text side of an embedder. @param name of the embedder */
  openTextEncoder(name: string, options?: OpenModelOptions): Promise<TextEncoder>;
  /** Whether an embedder has a text side. Fetches nothing. @param name of the embedder */
  knowsWords(name: string): Promise<boolean>;
}

/** What can be done with the models of a cache besides opening them. */
export interface ModelCache extends Models {
  /** Folder of the cache. */
  readonly cacheDir: string;
  /** Makes a model ready, with the network where it must, and runs nothing. */
  prepare(name: string, request?: Pick<ImportModelRequest, 'acceptLicence' | 'precision'>): Promise<PreparedModel>;
  /** All known models, the catalogue's first. Uses no network. */
  list(): Promise<ModelListing[]>;
  /** Takes in a model of the hub (`hf:OWNER/REPO@REVISION`), or a folder with the same files. */
  importModel(place: string, request?: ImportModelRequest): Promise<ModelEntry>;
  /** Takes in an ONNX file, by its path or its reference (`hf:OWNER/REPO@REVISION#FILE`, `https:`). */
  importFile(file: string, options?: Omit<ImportOptions, 'cacheDir'>): Promise<AnalysedModel>;
}

/**
 * The models of the catalogue and those that were imported.
 * @param defaults where they are cached, how they are fetched, who is told, what they run on
 */
export function createModels(defaults: ModelsOptions = {}): ModelCache {
  const { signal } = defaults;
  const reach: HubReach = {};
  const together = (options: OpenModelOptions = {}): OpenOptions => ({ ...defaults, ...options });
  // Graphics cards are made for 16 bits.
  const byDevice: ImportModelRequest = (defaults.device ?? 'cpu') === 'cpu' ? {} : { preferred: 'fp16' };
  const known = async (name: string, request?: ImportModelRequest) =>
    (await import('./hub/named.ts')).takenIn(name, defaults, { ...byDevice, ...request });
  return {
    async openDetector(name, options) {
      const { vocabulary } = options ?? {};
      const opening = { ...together(options), ...(vocabulary ? { vocabulary } : {}) };
      return (await import('./detector.ts')).openDetector(await known(name), opening);
    },
    async openEmbedder(name, options) {
      return (await import('./embedder.ts')).openEmbedder(await known(name), together(options));
    },
    async chooseEmbedder(quality) {
      const choice = await (await import('./choose-embedder.ts')).chooseEmbedder(quality, defaults, reach);
      defaults.onNotice?.(`Embedder: ${choice.id}, ${choice.because}.`);
      return choice;
    },
    async chooseByQuality(role, quality, otherwise) {
      const { chooseByQuality } = await import('./choose-by-quality.ts');
      const choice = await chooseByQuality(role, quality, otherwise, defaults, reach);
      const what = role === 'detector' ? 'Detector' : 'Masks';
      defaults.onNotice?.(`${what}: ${choice.id ?? 'by colours, with no model'}, ${choice.because}.`);
      return choice;
    },
    async embeddersHere() {
      return (await import('./choose-embedder.ts')).embeddersHere(defaults.cacheDir);
    },
    async prepareEmbedder(name) {
      return (await import('./prepare-embedder.ts')).prepareEmbedder(await known(name), defaults);
    },
    ...tuningOf(defaults),
    async openPose(name, options) {
      return (await import('./pose.ts')).openPose(name, together(options));
    },
    async openImageClassifier(name, options) {
      return (await import('./image-classifier.ts')).openImageClassifier(name, together(options));
    },
    async openSegmenter(options) {
      return (await import('./segmenter.ts')).openSegmenter(options);
    },
    async openBoxSegmenter(name, options) {
      return (await import('./box-segmenter.ts')).openBoxSegmenter(await known(name), together(options));
    },
    async openTextReader(name, options) {
      return (await import('./text-reader.ts')).openTextReader(name, together(options));
    },
    async openTextEncoder(name, options) {
      return (await import('./text-encoder.ts')).openTextEncoder(await known(name), together(options));
    },
    async knowsWords(name) {
      return (await import('./text-encoder.ts')).knowsWords(name, defaults.cacheDir);
    },
    async importModel(place, request = {}) {
      return (await import('./hub/named.ts')).takeIn(place, defaults, { ...byDevice, ...request });
    },
    // Asked for when it is needed: where nothing needs it, a user with no home is none the worse.
    get cacheDir() {
      return defaults.cacheDir ?? cacheDirectory();
    },
    async prepare(name, request) {
      return (await import('./prepare.ts')).prepareModel(await known(name, request), defaults);
    },
    async list() {
      return (await import('./list.ts')).modelsList(defaults.cacheDir);
    },
    async importFile(file, options) {
      const { importModel, fetchedForImport } = await import('./import.ts');
      const here = await fetchedForImport(file, { ...defaults, signal });
      return importModel(here.path, { ...here.named, signal, ...options, cacheDir: defaults.cacheDir });
    },
  };
}

/** What opens models for training, and keeps what came of it. */
function tuningOf(
  defaults: ModelsOptions,
): Pick<Models, 'tunableEmbedder' | 'tunableDetector' | 'refuseTaken' | 'addDetector' | 'imported' | 'adopt'> {
  return {
    async tunableEmbedder(name) {
      return (await import('./tuning/tunable-embedder.ts')).tunableEmbedder(name, defaults);
    },
    async tunableDetector(name, anew) {
      return (await import('./tuning/detector/tunable-detector.ts')).tunableDetector(name, anew, defaults);
    },
    async refuseTaken(name, file) {
      await (await import('./tuning/detector/add-detector.ts')).refuseTaken(name, file, defaults.cacheDir);
    },
    async addDetector(taught) {
      return (await import('./tuning/detector/add-detector.ts')).addDetector(taught, defaults.cacheDir);
    },
    async imported(name) {
      return (await import('./registry.ts')).importedEntry(name, defaults.cacheDir ?? cacheDirectory());
    },
    async adopt(entry) {
      await (await import('./tuning/adopt-taught.ts')).adoptTaught(entry, defaults.cacheDir);
    },
  };
}
