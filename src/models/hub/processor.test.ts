/** Fields as `transformers` writes them into `preprocessor_config.json`: what is understood, and what is refused by its name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelsmithError } from '../../errors.ts';
import { inputOfProcessor, type ProcessorConfig } from './processor.ts';

const CLIP: ProcessorConfig = {
  crop_size: { height: 224, width: 224 },
  do_center_crop: true,
  do_convert_rgb: true,
  do_normalize: true,
  do_rescale: true,
  do_resize: true,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_processor_type: 'CLIPImageProcessor',
  image_std: [0.26862954, 0.26130258, 0.27577711],
  resample: 3,
  rescale_factor: 0.00392156862745098,
  size: { shortest_edge: 224 },
};

test('CLIP: the shorter side, then the middle, bicubic', () => {
  const input = inputOfProcessor('m', CLIP);
  assert.deepEqual(input.pillow, { resample: 'bicubic', size: { kind: 'shortest', edge: 224 } });
  assert.deepEqual([input.width, input.height, input.scale], [224, 224, 1 / 255]);
  assert.deepEqual(input.mean, CLIP.image_mean);
});

test('old files: a feature extractor, sides as plain numbers, fields left out', () => {
  const old = inputOfProcessor('m', {
    ...CLIP,
    image_processor_type: undefined,
    feature_extractor_type: 'CLIPFeatureExtractor',
    size: 224,
    crop_size: 224,
  });
  assert.deepEqual(old.pillow, { resample: 'bicubic', size: { kind: 'shortest', edge: 224 } });
  const vit = inputOfProcessor('m', { feature_extractor_type: 'ViTFeatureExtractor', size: 224 });
  assert.deepEqual(vit.pillow, { resample: 'bilinear', size: { kind: 'exact' } });
  assert.deepEqual([vit.width, vit.mean], [224, [0.5, 0.5, 0.5]]);
});

test('ConvNeXT: the middle of a larger image below 384 pixels, the whole image from there on', () => {
  const small = inputOfProcessor('m', {
    image_processor_type: 'ConvNextImageProcessor',
    size: { shortest_edge: 224 },
    crop_pct: 0.875,
  });
  assert.deepEqual(small.pillow?.size, { kind: 'shortest', edge: 256 });
  const large = inputOfProcessor('m', { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 384 } });
  assert.deepEqual(large.pillow?.size, { kind: 'exact' });
});

test('DETR: images keep their proportions, in old files and new ones', () => {
  const size = { kind: 'open', edge: 800, longest: 1333 };
  const old = inputOfProcessor('m', { feature_extractor_type: 'DetrFeatureExtractor', size: 800, max_size: 1333 });
  const today = { image_processor_type: 'DetrImageProcessor', size: { shortest_edge: 800, longest_edge: 1333 } };
  for (const { pillow } of [old, inputOfProcessor('m', { ...today, do_pad: true })]) {
    assert.deepEqual(pillow, { resample: 'bilinear', size });
  }
  assert.throws(() => inputOfProcessor('m', { ...CLIP, max_size: 7 }), /max_size.*means nothing to CLIP/);
});

test('RT-DETR: the whole image in a square, from 0 to 1', () => {
  const input = inputOfProcessor('m', {
    image_processor_type: 'RTDetrImageProcessorFast',
    size: { height: 640, width: 640 },
    do_normalize: false,
    do_pad: false,
    format: 'coco_detection',
  });
  assert.deepEqual([input.width, input.mean, input.pillow?.size], [640, undefined, { kind: 'exact' }]);
});

test('timm: floor of the size over crop_pct, then the middle', () => {
  const pretrained_cfg = {
    input_size: [3, 224, 224],
    interpolation: 'bicubic',
    crop_pct: 0.95,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  };
  const input = inputOfProcessor('m', { pretrained_cfg });
  assert.deepEqual(input.pillow, { resample: 'bicubic', size: { kind: 'shortest', edge: 235 }, middle: 'torch' });
});

test('a network whose sides are open gets images in their own proportions, where nothing else pads them', () => {
  const size = { shortest_edge: 800, longest_edge: 1333 };
  const input = inputOfProcessor('m', { image_processor_type: 'GroundingDinoImageProcessor', size, do_pad: true });
  assert.deepEqual(input.pillow?.size, { kind: 'open', edge: 800, longest: 1333 });
  assert.deepEqual([input.width, input.height], [1333, 1333]);
});

const REFUSED: readonly (readonly [string, ProcessorConfig])[] = [
  ['image_processor_type', { ...CLIP, image_processor_type: 'LevitImageProcessor' }],
  ['image_processor_type', { size: 224 }],
  ['do_flip_channel_order', { ...CLIP, do_flip_channel_order: true }],
  ['do_pad', { ...CLIP, do_pad: true }],
  ['do_pad', { image_processor_type: 'Owlv2ImageProcessor', size: { height: 960, width: 960 }, do_pad: false }],
  ['size', { image_processor_type: 'Owlv2ImageProcessor', size: { height: 960, width: 640 } }],
  ['gamma', { ...CLIP, gamma: 2.2 }],
  ['resample', { ...CLIP, resample: 17 }],
  ['image_mean', { ...CLIP, image_mean: [0.5] }],
  ['size', { ...CLIP, do_center_crop: false }],
  ['size', { ...CLIP, do_center_crop: false, size: { shortest_edge: 800, longest_edge: 1333 } }],
  ['do_resize', { ...CLIP, do_resize: false, do_center_crop: false }],
  ['crop_size', { ...CLIP, size: { height: 200, width: 256 } }],
  ['rescale_offset', { ...CLIP, rescale_offset: true }],
  ['crop_pct', { ...CLIP, crop_pct: 0.9 }],
  ['rescale_factor', { ...CLIP, rescale_factor: 'much' }],
  ['do_resize', { ...CLIP, do_resize: 'yes' }],
  ['pretrained_cfg.crop_mode', { pretrained_cfg: { input_size: [3, 224, 224], crop_mode: 'border' } }],
  ['pretrained_cfg.interpolation', { pretrained_cfg: { input_size: [3, 224, 224], interpolation: 'random' } }],
  ['pretrained_cfg.crop_border_pixels', { pretrained_cfg: { input_size: [3, 224, 224], crop_border_pixels: 8 } }],
  ['resample', { image_processor_type: 'DINOv3ViTImageProcessorFast', size: { height: 224, width: 224 }, resample: 0 }],
  ['size', { ...CLIP, image_processor_type: 'DINOv3ViTImageProcessorFast' }],
];

for (const [field, config] of REFUSED) {
  test(`a model is refused by the name of the field: ${field} of ${JSON.stringify(config).length} characters`, () => {
    assert.throws(
      () => inputOfProcessor('m', config),
      (error: unknown) => error instanceof LabelsmithError && error.message.includes(` ${field} of its`),
    );
  });
}

test('what is null, false or of no meaning for pixels refuses nothing', () => {
  const more = { gamma: null, do_align: false, processor_class: 'CLIPProcessor', do_pad: null, size_divisor: null };
  assert.doesNotThrow(() => inputOfProcessor('m', { ...CLIP, ...more }));
});
