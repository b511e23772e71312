/** What exports count of what their formats cannot hold: the words that the counts are kept by, and each of one alone. */
import { plural } from '../core/count-text.ts';

const ONE = {
  'angles of turned boxes': 'angle of a turned box',
  'angles of turned boxes that reach far out of the image': 'angle of a turned box that reaches far out of the image',
  'attributes of regions': 'region with attributes',
  'classes of whole images': 'class of a whole image',
  'crowd marks': 'crowd mark',
  'deleted regions': 'deleted region',
  'difficult marks': 'difficult mark',
  keypoints: 'region with keypoints',
  masks: 'mask',
  'occluded marks': 'occluded mark',
  'other classes of a region': 'other class of a region',
  'other classes of an image': 'other class of an image',
  polygons: 'region with polygons',
  'poses (views)': 'pose (view)',
  regions: 'region',
  'regions with no area inside the image': 'region with no area inside the image',
  rejections: 'rejection',
  'track ids': 'track id',
  'truncated marks': 'truncated mark',
} as const satisfies Readonly<Record<string, string>>;

export type Loss = keyof typeof ONE;

/** `1 class of a whole image`, `12 classes of whole images`. */
export function lossText(what: string, count: number): string {
  const one = new Map<string, string>(Object.entries(ONE)).get(what);
  return plural(count, one ?? what, what);
}
