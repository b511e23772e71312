/**
 * An audit as something a person can answer: a CSV with a picture an item and an empty `answer` column, or folders to
 * sort, where a picture that is moved from `_to-check/CLASS` into `CLASS` (or where it belongs) is answered. What nobody
 * touched stays unanswered, so a folder that was never sorted does not look perfect.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Box } from '../core/boxes.ts';
import type { ImageId, ItemId } from '../core/ids.ts';
import { NONE_OF_THESE } from '../core/labels.ts';
import { LabelsmithError, messageOf } from '../errors.ts';
import { makeFolder } from '../files/make-folder.ts';
import { writeOutput } from '../files/output.ts';
import type { ProtectedPath } from '../files/place.ts';
import { badFile, objectAt, shown, stringAt } from '../formats/check.ts';
import { csvRecords, csvRow, fileCell, textCell, textOfCell } from '../formats/csv-table.ts';
import { classFolders, safeComponent, splitExtension } from '../formats/names.ts';
import { pixel } from '../formats/numbers.ts';
import { listFolder } from '../formats/walk.ts';
import type { AuditAnswer } from '../store/store.ts';

export type SheetKind = 'csv' | 'folders';

export interface SheetItem {
  readonly itemId: ItemId;
  readonly imageId: ImageId;
  readonly className: string;
  /** The image's name as in exports. */
  readonly file: string;
  /** Null for a whole image. */
  readonly box: Box | null;
}

interface Sheet {
  readonly auditId: number;
  readonly items: readonly SheetItem[];
}

export interface SheetOptions {
  readonly kind: SheetKind;
  readonly replace: boolean;
  readonly protectedPaths: readonly ProtectedPath[];
  /** Called once the output may be written. */
  readonly draw: () => Promise<Sheet>;
  /** A JPEG of the item, or null where its file cannot be read any more. */
  readonly picture: (item: SheetItem) => Promise<Uint8Array | null>;
}

const SHEET = 'audit.csv';
const MANIFEST = 'audit.json';
const PICTURES = 'pictures';
const TO_CHECK = '_to-check';
const NONE = '_none';
const WRONG = '_wrong';
const COLUMNS = ['audit', 'item', 'picture', 'file', 'x1', 'y1', 'x2', 'y2', 'class', 'answer'];

/** Gives the absolute path of the folder and how many pictures could not be made. */
export async function writeSheet(
  out: string,
  options: SheetOptions,
): Promise<{ readonly out: string; readonly withoutPicture: number }> {
  const { kind, replace, protectedPaths, draw, picture } = options;
  let withoutPicture = 0;
  const path = await writeOutput(out, { kind: 'folder', what: 'audit', replace, protectedPaths }, async (target) => {
    const sheet = await draw();
    withoutPicture = await (kind === 'csv' ? writeCsv : writeFolders)(target, sheet, picture);
  });
  return { out: path, withoutPicture };
}

/** `0001-name.jpg`: unique within the audit, and it says where it comes from. */
function pictureName(item: SheetItem, index: number, count: number): string {
  const digits = String(index + 1).padStart(String(count).length, '0');
  return `${digits}-${safeComponent(splitExtension(basename(item.file))[0]).slice(0, 80)}.jpg`;
}

async function writeCsv(target: string, { auditId, items }: Sheet, picture: SheetOptions['picture']): Promise<number> {
  await mkdir(join(target, PICTURES));
  const rows = [csvRow(COLUMNS)];
  let missing = 0;
  for (const [i, item] of items.entries()) {
    const bytes = await picture(item);
    const name = pictureName(item, i, items.length);
    if (bytes) await writeFile(join(target, PICTURES, name), bytes);
    else missing++;
    const box = item.box ? item.box.map((value) => String(pixel(value))) : ['', '', '', ''];
    const shown = bytes ? `${PICTURES}/${name}` : '';
    rows.push(csvRow([String(auditId), item.itemId, shown, fileCell(item.file), ...box, textCell(item.className), '']));
  }
  await writeFile(join(target, SHEET), rows.join(''));
  return missing;
}

async function writeFolders(
  target: string,
  { auditId, items }: Sheet,
  picture: SheetOptions['picture'],
): Promise<number> {
  const classNames = [...new Set(items.map(({ className }) => className))].sort();
  const { folderOf } = classFolders(classNames, [TO_CHECK, NONE, WRONG, MANIFEST]);
  for (const folder of folderOf.values()) {
    await mkdir(join(target, folder));
    await makeFolder(join(target, TO_CHECK, folder));
  }
  await mkdir(join(target, NONE));
  await mkdir(join(target, WRONG));
  const pictures: Record<string, { item: ItemId; class: string }> = {};
  let missing = 0;
  for (const [i, item] of items.entries()) {
    const bytes = await picture(item);
    if (!bytes) {
      missing++;
      continue;
    }
    const name = pictureName(item, i, items.length);
    pictures[name] = { item: item.itemId, class: item.className };
    await writeFile(join(target, TO_CHECK, folderOf.get(item.className) as string, name), bytes);
  }
  const folders = Object.fromEntries([...folderOf].map(([className, folder]) => [folder, className]));
  await writeFile(join(target, MANIFEST), `${JSON.stringify({ audit: auditId, folders, pictures }, null, 2)}\n`);
  return missing;
}

export interface ReadSheet {
  readonly auditId: number;
  readonly answers: readonly AuditAnswer[];
  /** Items with no answer yet. */
  readonly unanswered: number;
  /** Pictures and rows that this audit did not write. */
  readonly unknown: readonly string[];
}

/** @param path the folder that was written, or its `audit.csv` */
export async function readSheet(path: string): Promise<ReadSheet> {
  if (path.toLowerCase().endsWith('.csv')) return readCsv(path);
  const { files } = await listFolder(path);
  if (files.includes(MANIFEST)) return readFolders(path);
  if (files.includes(SHEET)) return readCsv(join(path, SHEET));
  throw new LabelsmithError('NOT_FOUND', `There is no ${SHEET} and no ${MANIFEST} in ${path}.`, {
    hint: 'Name the folder that labelsmith audit TASK --out wrote, or its audit.csv.',
  });
}

async function readCsv(path: string): Promise<ReadSheet> {
  const name = basename(path);
  const answers: AuditAnswer[] = [];
  let auditId: number | null = null;
  let unanswered = 0;
  const seen = new Map<string, string>();
  for await (const { where, cell } of csvRecords(path, name, ['audit', 'item', 'class', 'answer'])) {
    const id = Number(cell('audit'));
    if (!Number.isSafeInteger(id) || id < 1)
      throw badFile(where, `audit is a whole number, not ${shown(cell('audit'))}`);
    if (auditId !== null && auditId !== id) throw badFile(where, `the rows are of two audits, ${auditId} and ${id}`);
    auditId = id;
    const itemId = cell('item').trim();
    const className = textOfCell(cell('class'));
    const key = `${itemId} ${className}`;
    const before = seen.get(key);
    if (before !== undefined) throw badFile(where, `the item is on ${before} already`);
    seen.set(key, where);
    const verdict = verdictOf(textOfCell(cell('answer')), className);
    if (verdict) answers.push({ itemId, className, ...verdict });
    else unanswered++;
  }
  if (auditId === null) throw badFile(name, 'there are no rows in it');
  return { auditId, answers, unanswered, unknown: [] };
}

const YES = new Set(['yes', 'y', 'true', '1', 'right', 'correct', 'ok']);
const NO = new Set(['no', 'n', 'false', '0', 'wrong', 'incorrect']);
const NONE_WORDS = new Set(['none', NONE, NONE_OF_THESE]);

/** Yes, no, none, or the name of the class that it is. Null when it is empty. */
function verdictOf(text: string, className: string): Pick<AuditAnswer, 'right' | 'trueClass'> | null {
  const answer = text.trim();
  const lower = answer.toLowerCase();
  if (answer === '') return null;
  // A class may be called "no": its own name comes first.
  if (answer === className || YES.has(lower)) return { right: true, trueClass: className };
  if (NO.has(lower)) return { right: false, trueClass: null };
  if (NONE_WORDS.has(lower)) return { right: false, trueClass: NONE_OF_THESE };
  return { right: false, trueClass: answer };
}

async function readFolders(path: string): Promise<ReadSheet> {
  const manifest = await manifestOf(join(path, MANIFEST));
  const answers: AuditAnswer[] = [];
  const unknown: string[] = [];
  const seen = new Map<string, string>();
  for (const folder of (await listFolder(path)).folders) {
    if (folder === TO_CHECK) continue;
    for (const file of (await listFolder(join(path, folder))).files) {
      const where = `${folder}/${file}`;
      const item = manifest.pictures.get(file);
      if (!item) {
        unknown.push(where);
        continue;
      }
      const other = seen.get(file);
      if (other !== undefined) throw badFile(where, `the picture is at ${other} too`, 'Leave it in one folder.');
      seen.set(file, where);
      const className = manifest.folders.get(folder) ?? folder.normalize('NFC');
      const verdict =
        folder === WRONG ? { right: false, trueClass: null } : folderVerdict(folder, className, item.className);
      answers.push({ ...item, ...verdict });
    }
  }
  return { auditId: manifest.auditId, answers, unanswered: manifest.pictures.size - answers.length, unknown };
}

function folderVerdict(folder: string, className: string, asked: string): Pick<AuditAnswer, 'right' | 'trueClass'> {
  if (folder === NONE) return { right: false, trueClass: NONE_OF_THESE };
  return { right: className === asked, trueClass: className };
}

async function manifestOf(path: string) {
  let document: unknown;
  try {
    document = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw badFile(MANIFEST, `it cannot be read: ${messageOf(cause)}`, undefined, cause);
  }
  const { audit, folders, pictures } = objectAt(document, MANIFEST);
  if (typeof audit !== 'number') throw badFile(`${MANIFEST} audit`, `a number was expected, not ${shown(audit)}`);
  return {
    auditId: audit,
    folders: new Map(
      Object.entries(objectAt(folders, `${MANIFEST} folders`)).map(([folder, name]) => [
        folder,
        stringAt(name, `${MANIFEST} folders.${folder}`),
      ]),
    ),
    pictures: new Map(
      Object.entries(objectAt(pictures, `${MANIFEST} pictures`)).map(([file, value]) => {
        const where = `${MANIFEST} pictures.${file}`;
        const entry = objectAt(value, where);
        return [
          file,
          { itemId: stringAt(entry.item, `${where}.item`), className: stringAt(entry.class, `${where}.class`) },
        ];
      }),
    ),
  };
}
