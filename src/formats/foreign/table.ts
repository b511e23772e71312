/**
 * Formats of other tools that are read and never written, a file each. Their readers are loaded when they are needed.
 *
 * What they give they say in words of Labelsmith: a box, an outline, a mask, points, attributes. What has no place there is
 * told to the reckoning.
 */
import { EVERYTHING, type ForeignName, type Keeps, type LabelReader } from '../format.ts';

/** What may come back from any of them, if it is the state of its pictures. */
const KEEPS: Keeps = { ...EVERYTHING, regionClasses: 'apart', origin: false, task: false, regionIds: false };

type Load = () => Promise<{ readonly read: LabelReader['read'] }>;

const ROWS: readonly (readonly [ForeignName, description: string, kind: LabelReader['kind'], Load])[] = [
  ['createml', "Apple's Create ML, a JSON list of images", 'file', () => import('./createml.ts')],
  ['dota', 'DOTA, a text file an image with the corners of turned boxes', 'folder', () => import('./dota.ts')],
  ['kitti', 'KITTI, a text file an image in label_2', 'folder', () => import('./kitti.ts')],
  ['ground-truth', 'manifests of SageMaker Ground Truth and Rekognition', 'file', () => import('./ground-truth.ts')],
  ['vott', 'VoTT, its JSON export or its files *-asset.json', 'folder', () => import('./vott.ts')],
  ['supervisely', 'Supervisely, a JSON file an image in ann', 'folder', () => import('./supervisely.ts')],
  ['darwin', "V7's Darwin, a JSON file an image", 'folder', () => import('./darwin.ts')],
  ['labelbox', "Labelbox's exports, JSON Lines", 'file', () => import('./labelbox.ts')],
  ['bdd100k', 'BDD100K and Scalabel, a JSON list of frames', 'file', () => import('./bdd100k.ts')],
  ['cityscapes', 'Cityscapes, polygons or masks in gtFine', 'folder', () => import('./cityscapes.ts')],
  ['datumaro', "Datumaro's own JSON", 'folder', () => import('./datumaro.ts')],
  ['wider-face', 'WIDER FACE, one text file', 'file', () => import('./wider-face.ts')],
  ['vertex', "Google's Vertex AI, JSON Lines", 'file', () => import('./vertex.ts')],
];

export const FOREIGN_READERS: readonly LabelReader[] = ROWS.map(([name, description, kind, load]) => ({
  name,
  description,
  kind,
  ...(kind === 'file' ? { readsFolders: true as const } : {}),
  keeps: KEEPS,
  async *read(path, options) {
    yield* (await load()).read(path, options);
  },
}));
