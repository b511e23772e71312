/** The words of a path that may say what is in the picture. */

/** What cameras, phones, tools and data sets call everything. */
const STOP = new Set(
  (
    'img image images pic pics picture pictures photo photos foto fotos dsc dscn dcim imag jpg jpeg png webp gif tif tiff ' +
    'heic raw copy copies edit edited final new old tmp temp test tests train training val valid validation data dataset ' +
    'datasets file files folder untitled screenshot screenshots screen shot download downloads desktop documents scan ' +
    'scans camera cameras roll album albums backup export exports import imports misc other others unsorted sorted class ' +
    'classes category categories label labels sample samples thumb thumbs thumbnail thumbnails small large medium full ' +
    'original originals resized cropped crop crops frame frames video videos pxl mvimg whatsapp wa signal received sent ' +
    'and the for with from that this not are all one two'
  ).split(' '),
);

/** Terms of a path. */
export interface PathTerms {
  /** Each name as it is written where it is one to four words, the words of longer ones and of names of several words. */
  readonly folders: readonly string[];
  /** The words of the file's name. */
  readonly file: readonly string[];
}

/** Of a path below its source's root. */
export function pathTerms(path: string, sourceRoot: string): PathTerms {
  const below = path.startsWith(sourceRoot) ? path.slice(sourceRoot.length) : (path.split('/').at(-1) ?? path);
  const parts = below.split(/[/!]+/).filter((part) => part !== '');
  const file = parts.pop() ?? '';
  const terms = new Set<string>();
  for (const part of parts) {
    const words = wordsOf(part);
    const whole = words.length <= 4 && part.toLowerCase().replace(/[^\p{L}]+/gu, '') === words.join('');
    if (whole && words.length > 0) terms.add(part.trim());
    if (!whole || words.length > 1) for (const word of words) terms.add(word);
  }
  return { folders: [...terms], file: wordsOf(file.replace(/\.[^.]*$/, '')) };
}

/** Lower case, of letters only, at least three of them; `blueBird_01` is `blue`, `bird`. Numbers and hashes are no words. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => word.replace(/^\p{N}+|\p{N}+$/gu, ''))
    .filter((word) => /^\p{L}{3,}$/u.test(word) && !STOP.has(word) && !/^[0-9a-f]{8,}$/.test(word));
}
