/**
 * Which of the formats of other tools a file is, by how it begins: keys and rows that no other format has. Pure. And what is
 * told of files that no reader reads.
 */
import type { ForeignName } from '../format.ts';

export interface ForeignGuess {
  readonly format: ForeignName;
  /** Goes after "because". */
  readonly why: string;
}

const key = (name: string) => new RegExp(`"${name}"\\s*:`);
const list = /^\s*\[/;

interface JsonMark {
  readonly format: ForeignName;
  readonly why: string;
  /** All of them occur. */
  readonly has: readonly RegExp[];
}

const JSON_MARKS: readonly JsonMark[] = [
  { format: 'createml', why: 'its boxes have coordinates', has: [list, key('coordinates'), key('label')] },
  {
    format: 'vott',
    why: 'it has assets of VoTT',
    has: [/"assets?"\s*:\s*\{/, /"(?:securityToken|regions|lastVisitedAssetId)"\s*:/],
  },
  { format: 'supervisely', why: 'its objects have classTitle', has: [key('objects'), key('classTitle')] },
  {
    format: 'supervisely',
    why: 'it has tags, a size and objects',
    has: [/"tags"\s*:\s*\[/, /"size"\s*:\s*\{\s*"(?:height|width)"/, key('objects')],
  },
  { format: 'darwin', why: 'it has an item with slots', has: [/"item"\s*:\s*\{/, key('slots'), key('annotations')] },
  {
    format: 'darwin',
    why: 'it has an image and annotations of Darwin',
    has: [/"image"\s*:\s*\{/, /"(?:workview_url|darwin_version|original_filename)"\s*:/, key('annotations')],
  },
  { format: 'labelbox', why: 'it has data rows of Labelbox', has: [/"data_row"\s*:\s*\{/, key('projects')] },
  { format: 'labelbox', why: 'it has labelled data of Labelbox', has: [list, key('Labeled Data'), key('Label')] },
  { format: 'bdd100k', why: 'its labels have box2d or poly2d', has: [/"(?:box2d|poly2d)"\s*:/, key('category')] },
  { format: 'cityscapes', why: 'it has imgHeight and polygons', has: [key('imgHeight'), key('objects')] },
  {
    format: 'datumaro',
    why: 'it has categories of Datumaro',
    has: [/"categories"\s*:\s*\{\s*"\w+"\s*:/, /"(?:labels|items)"\s*:\s*\[/],
  },
  { format: 'ground-truth', why: 'its lines have source-ref', has: [key('source-ref')] },
  { format: 'vertex', why: 'its lines have imageGcsUri', has: [key('imageGcsUri')] },
];

export function foreignJson(head: string): ForeignGuess | null {
  const found = JSON_MARKS.find(({ has }) => has.every((mark) => mark.test(head)));
  return found === undefined ? null : { format: found.format, why: found.why };
}

interface UnreadJson {
  readonly is: string;
  readonly has: readonly RegExp[];
  readonly instead: string;
}

const UNREAD_JSON: readonly UnreadJson[] = [
  {
    is: 'a file of labels of videos (YouTube-VIS)',
    has: [key('videos'), key('annotations')],
    instead: 'Export the frames as pictures with COCO labels.',
  },
  {
    is: "a file of COCO's panoptic segmentation",
    has: [key('segments_info')],
    instead:
      'Import the instances of the same set, or convert it with panopticapi (panoptic2detection_coco_format.py).',
  },
  {
    is: "a file of COCO's captions, which are texts and no classes",
    has: [key('annotations'), key('caption')],
    instead: 'Import the instances of the same set.',
  },
  {
    is: 'a file of tasks of Scale',
    has: [key('task_id'), key('response')],
    instead: 'Write them as a table with file,class,x1,y1,x2,y2, and import that.',
  },
  {
    is: 'what an export of labelsmith tells beside its labels, and has none',
    has: [/^\s*\{\s*"madeBy"\s*:\s*"labelsmith"/, key('accuracy')],
    instead: 'Import the file that it is beside: its name without ".accuracy.json".',
  },
];

/** Of JSON that no reader reads, by how it begins. */
export function unreadJson(head: string): { readonly is: string; readonly instead: string } | null {
  if (/"(?:bbox|segmentation)"\s*:/.test(head) && !/"segments_info"\s*:/.test(head)) return null;
  return UNREAD_JSON.find(({ has }) => has.every((mark) => mark.test(head))) ?? null;
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e[-+]?\d+)?`;
const KITTI_ROW = new RegExp(String.raw`^[A-Za-z]\S* ${NUMBER} -?\d+(?:\.0+)?(?: ${NUMBER}){12,13}$`);
const DOTA_ROW = new RegExp(String.raw`^(?:${NUMBER}\s+){8}[^\s\d.-]\S*(?:\s+\d)?$`);

/** Of text with a row an object. */
export function foreignRows(head: string): ForeignGuess | null {
  const lines = head
    .slice(0, 4096)
    .split(/\r?\n/)
    .map((line) => line.trim());
  const rows = lines.filter((line) => line !== '' && !/^(?:imagesource|gsd)\s*:/i.test(line));
  const [first = '', second = ''] = rows;
  if (KITTI_ROW.test(first)) return { format: 'kitti', why: 'its rows are those of KITTI' };
  if (DOTA_ROW.test(first) || (rows.length === 0 && lines.some((line) => /^imagesource\s*:/i.test(line))))
    return { format: 'dota', why: 'its rows have eight coordinates and a class' };
  if (/^\d+--[^/]+\/\S+\.jpe?g$/i.test(first) && /^\d+$/.test(second))
    return { format: 'wider-face', why: 'it has paths, numbers of faces and faces' };
  return null;
}

/** Names of folders with such rows. */
export const ROW_FOLDERS = /^(?:label_\d+|labelTxt[\w.-]*|labels?|annfiles)$/i;

/** Masks that are told by their names. */
export const CITYSCAPES_MASK = /_(?:labelIds|instanceIds)\.png$/;

interface Unread {
  readonly ending: RegExp;
  readonly is: string;
  readonly instead: string;
}

const COCO_INSTEAD = 'Export the labels as COCO or YOLO in the tool that made it, and import that.';

const UNREAD: readonly Unread[] = [
  {
    ending: /\.tfrecords?(?:-\d+-of-\d+)?(?:\.gz)?$|\.record(?:-\d+-of-\d+)?$/i,
    is: 'a TFRecord',
    instead: COCO_INSTEAD,
  },
  {
    ending: /\.vott$/i,
    is: 'a project of VoTT, which has no regions',
    instead: 'Import its folder with the files *-asset.json, or export it as VoTT JSON.',
  },
  {
    ending: /\.mat$/i,
    is: 'a file of MATLAB',
    instead: 'Write it as a table with file,class,x1,y1,x2,y2 (writetable), and import that.',
  },
  {
    ending: /\.(?:pkl|pickle)$/i,
    is: 'a pickle of Python, which could run anything',
    instead: 'Write it as JSON or CSV in Python, and import that.',
  },
  {
    ending: /\.(?:h5|hdf5|npy|npz)$/i,
    is: 'a file of arrays',
    instead: 'Write it as a table with file,class,x1,y1,x2,y2, and import that.',
  },
  { ending: /\.(?:rec|lst|mdb|lmdb)$/i, is: 'a record file of MXNet or LMDB', instead: COCO_INSTEAD },
  { ending: /\.(?:xlsx?|ods)$/i, is: 'a spreadsheet', instead: 'Save it as CSV, and import that.' },
  {
    ending: /\.(?:rar|7z|bz2|tbz2?|xz|txz|zst|lz4|lzma|cab|dmg|iso)$/i,
    is: 'an archive of another kind than zip, tar and gz',
    instead: 'Unpack it, and import the folder.',
  },
];

/** MOT Challenge's tracks, in the folder of a sequence. */
export const TRACKS_FILE = /(?:^|\/)gt\/gt\.txt$/;

/** What a file is that no reader reads, and what to do instead. */
export function unreadKind(name: string): { readonly is: string; readonly instead: string } | null {
  if (TRACKS_FILE.test(name)) return { is: 'a file of tracks of MOT Challenge', instead: COCO_INSTEAD };
  return UNREAD.find(({ ending }) => ending.test(name)) ?? null;
}
