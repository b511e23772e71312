/** The thread behind `segmenter.ts`. */
import type { MaskRle } from '../../core/dataset.ts';
import { serve } from '../../threads/serve.ts';
import { type BoxCrop, maskOfCrop } from './crop.ts';
import type { SegmentSettings } from './grab-cut.ts';

serve<SegmentSettings, BoxCrop, MaskRle>((settings) => (crop) => ({ reply: maskOfCrop(crop, settings) }));
