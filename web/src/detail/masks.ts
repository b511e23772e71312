/** COCO's run lengths (column by column, from the top left) as the pixels of a picture. */
export interface Mask {
  readonly size: readonly [height: number, width: number];
  readonly counts: readonly number[];
}

/** Draws the mask over what is there; the canvas has the mask's size. */
export function drawMask(
  canvas: HTMLCanvasElement,
  { size: [height, width], counts }: Mask,
  rgb: readonly number[],
): void {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return;
  const picture = context.createImageData(width, height);
  let at = 0;
  for (const [run, count] of counts.entries()) {
    if (run % 2 === 1) {
      for (let i = at; i < at + count; i++) {
        const pixel = 4 * ((i % height) * width + Math.floor(i / height));
        picture.data.set([rgb[0] ?? 0, rgb[1] ?? 0, rgb[2] ?? 0, 110], pixel);
      }
    }
    at += count;
  }
  context.putImageData(picture, 0, 0);
}
