/** Candidates of an image as the bytes of one row. */
import type { Detections } from '../../core/boxes.ts';
import { LabelsmithError } from '../../errors.ts';

/** Bytes of one candidate: box 4 × float32, score float32, class uint16. */
const CANDIDATE_BYTES = 22;
const MAX_CLASSES = 65_536;

/**
 * Candidates of one image as bytes, little-endian, structure of arrays: boxes [n, 4] float32, scores [n] float32,
 * classes [n] uint16. An image without candidates is 0 bytes.
 */
export function packDetections(detections: Detections): Uint8Array {
  const n = detections.count;
  const bytes = new Uint8Array(n * CANDIDATE_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4 * n; i++) view.setFloat32(4 * i, detections.boxes[i], true);
  for (let i = 0; i < n; i++) {
    const classIndex = detections.classes[i];
    if (!(classIndex >= 0 && classIndex < MAX_CLASSES)) {
      throw new LabelsmithError(
        'BAD_MODEL',
        `Class index ${classIndex} of a detection is not in 0 to ${MAX_CLASSES - 1}`,
      );
    }
    view.setFloat32(16 * n + 4 * i, detections.scores[i], true);
    view.setUint16(20 * n + 2 * i, classIndex, true);
  }
  return bytes;
}

export function unpackDetections(bytes: Uint8Array): Detections {
  if (bytes.byteLength % CANDIDATE_BYTES !== 0) {
    throw new LabelsmithError('WORKSPACE', `Candidates of ${bytes.byteLength} bytes are damaged`, {
      hint: 'Run `labelsmith doctor`, then `labelsmith detect --force`.',
    });
  }
  const n = bytes.byteLength / CANDIDATE_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const boxes = new Float32Array(4 * n);
  const scores = new Float32Array(n);
  const classes = new Int32Array(n);
  for (let i = 0; i < 4 * n; i++) boxes[i] = view.getFloat32(4 * i, true);
  for (let i = 0; i < n; i++) {
    scores[i] = view.getFloat32(16 * n + 4 * i, true);
    classes[i] = view.getUint16(20 * n + 2 * i, true);
  }
  return { count: n, boxes, scores, classes };
}
