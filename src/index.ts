/** The library's public face: exports only. */
export { LabelsmithError } from './errors.ts';
