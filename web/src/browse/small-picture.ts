/**
 * A picture as it is sent to be searched with: no larger than any network looks at. What the browser cannot read (TIFF, HEIC)
 * goes as it is.
 */
import { MAX_PICTURE_BYTES } from '../../../src/server/limits.ts';
import { ServerError } from '../api/client.ts';

const LONGEST_PX = 1024;
const QUALITY = 0.95;

export async function smallPicture(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return within(file);
  const scale = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(bitmap.width * scale)),
    Math.max(1, Math.round(bitmap.height * scale)),
  );
  const context = canvas.getContext('2d');
  if (!context || scale === 1) return within(file);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
}

function within(file: Blob): Blob {
  if (file.size <= MAX_PICTURE_BYTES) return file;
  const [has, most] = [file.size, MAX_PICTURE_BYTES].map((bytes) => Math.ceil(bytes / 2 ** 20));
  throw new ServerError('USAGE', `The picture has ${has} MB, and at most ${most} MB are searched with.`);
}
