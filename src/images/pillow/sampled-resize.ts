/**
 * Resizing by straight lines between the four pixels nearest to each new one's middle, in floats, with nothing averaged however
 * much smaller the image gets: `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`. Some networks were
 * trained on images made so. Cost: four products a new value.
 */
import type { Pixels } from '../decode.ts';

/** @returns shape [height, width, 3], RGB, 0 to 255 */
export function resizeSampled(image: Pixels, width: number, height: number): Float32Array {
  const { pixels } = image;
  const out = new Float32Array(width * height * 3);
  const across = placesOf(image.width, width);
  let to = 0;
  for (const down of placesOf(image.height, height)) {
    const [above, below] = [down.before * image.width, down.behind * image.width];
    for (const { before, behind, share } of across) {
      const [a, b] = [3 * (above + before), 3 * (above + behind)];
      const [c, d] = [3 * (below + before), 3 * (below + behind)];
      for (let k = 0; k < 3; k++) {
        const top = pixels[a + k] * (1 - share) + pixels[b + k] * share;
        const bottom = pixels[c + k] * (1 - share) + pixels[d + k] * share;
        out[to++] = top * (1 - down.share) + bottom * down.share;
      }
    }
  }
  return out;
}

/** Of each new pixel: the one before its middle, the one behind it, and how near that one is. */
function placesOf(size: number, newSize: number) {
  return Array.from({ length: newSize }, (_, i) => {
    const at = Math.max(0, (i + 0.5) * (size / newSize) - 0.5);
    const before = Math.min(Math.floor(at), size - 1);
    return { before, behind: Math.min(before + 1, size - 1), share: at - before };
  });
}
