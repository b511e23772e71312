/**
 * Folders that 0.1.0 wrote, before there was a marker: known by a file with our name or our own columns in it, and by
 * there being nothing else. What it wrote as yolo, webdataset and folders looks like anybody's and is not known.
 */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

interface Earlier {
  /** Everything that may be in it. */
  readonly names: RegExp;
  /** The file that says so: its name, in a folder where there is one. */
  readonly proof: { readonly folder?: string; readonly name: RegExp; readonly text: string };
}

const EARLIER: readonly Earlier[] = [
  // coco
  { names: /^(?:images|[\w-]+\.json)$/, proof: { name: /\.json$/, text: '"description":"Labelsmith export"' } },
  // voc
  {
    names: /^(?:Annotations|ImageSets|JPEGImages|Segmentation\w+)$/,
    proof: { folder: 'Annotations', name: /\.xml$/, text: '<database>Labelsmith ' },
  },
  // cvat
  { names: /^(?:images|annotations\.xml)$/, proof: { name: /\.xml$/, text: '<name>Labelsmith export</name>' } },
  // label-studio
  {
    names: /^(?:images|config\.xml|tasks\.json)$/,
    proof: { name: /^tasks\.json$/, text: '[\n{"id":1,"data":{"image":"' },
  },
  // hf
  {
    names: /^(?:[^.]+|metadata\.jsonl|README\.md)$/,
    proof: { name: /^README\.md$/, text: 'Exported by Labelsmith ' },
  },
  // crops
  { names: /^(?:[^.]+|crops\.csv)$/, proof: { name: /^crops\.csv$/, text: 'crop,file,class,confidence,origin,task' } },
  // xmp of one folder of images
  { names: /\.xmp$/, proof: { name: /\.xmp$/, text: 'x:xmptk="Labelsmith ' } },
  // teach select
  {
    names: /^(?:[^.]+|index\.html|label\.csv)$/,
    proof: { name: /^label\.csv$/, text: 'file,class,not,task,why,guess' },
  },
  // audit, as csv and as folders
  { names: /^(?:pictures|audit\.csv)$/, proof: { name: /^audit\.csv$/, text: 'audit,item,picture,file,' } },
  { names: /^(?:[^.]+|audit\.json)$/, proof: { name: /^audit\.json$/, text: '"audit":' } },
];

/** @param names all that is in it but litter */
export async function isEarlierFolder(folder: string, names: readonly string[]): Promise<boolean> {
  for (const { names: allowed, proof } of EARLIER) {
    if (!names.every((name) => allowed.test(name))) continue;
    const where = proof.folder === undefined ? folder : join(folder, proof.folder);
    const inside = proof.folder === undefined ? names : await readdir(where).catch(() => []);
    const file = [...inside].sort().find((name) => proof.name.test(name));
    if (file !== undefined && (await headOf(join(where, file))).includes(proof.text)) return true;
  }
  return false;
}

async function headOf(path: string): Promise<string> {
  // A pipe would never answer.
  const isFile = (await stat(path).catch(() => null))?.isFile() ?? false;
  const file = isFile ? await open(path, 'r').catch(() => null) : null;
  if (file === null) return '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
