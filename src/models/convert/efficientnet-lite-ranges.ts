/**
 * The ranges of the values between the layers of EfficientNet-Lite, over eight photographs of each of the benchmark's sets:
 * `npm run bench -- calibrate` prints them. By the name of the layer that makes a value.
 */
import type { Ranges } from './eight-bits.ts';

type Written = readonly (readonly [layer: string, least: number, most: number])[];

// biome-ignore format: a table
const EFFICIENTNET_LITE0: Written = [
  ['image', -0.9921875, 1], ['_conv_stem', 0, 6], ['_blocks.0._depthwise_conv', 0, 6],
  ['_blocks.0._project_conv', -46.9655, 44.9842], ['_blocks.1._expand_conv', 0, 6],
  ['_blocks.1._depthwise_conv', 0, 6], ['_blocks.1._project_conv', -51.834, 64.551], ['_blocks.2._expand_conv', 0, 6],
  ['_blocks.2._depthwise_conv', 0, 6], ['_blocks.2._project_conv', -56.5609, 64.0757], ['blocks.2', -73.545, 66.2616],
  ['_blocks.3._expand_conv', 0, 6], ['_blocks.3._depthwise_conv', 0, 6],
  ['_blocks.3._project_conv', -41.6956, 48.8185], ['_blocks.4._expand_conv', 0, 6],
  ['_blocks.4._depthwise_conv', 0, 6], ['_blocks.4._project_conv', -31.6858, 31.2052], ['blocks.4', -46.7117, 57.8046],
  ['_blocks.5._expand_conv', 0, 6], ['_blocks.5._depthwise_conv', 0, 6],
  ['_blocks.5._project_conv', -39.2076, 39.5685], ['_blocks.6._expand_conv', 0, 6],
  ['_blocks.6._depthwise_conv', 0, 6], ['_blocks.6._project_conv', -24.8522, 18.978], ['blocks.6', -38.6881, 37.699],
  ['_blocks.7._expand_conv', 0, 6], ['_blocks.7._depthwise_conv', 0, 6],
  ['_blocks.7._project_conv', -19.1687, 17.2954], ['blocks.7', -41.8289, 39.4598], ['_blocks.8._expand_conv', 0, 6],
  ['_blocks.8._depthwise_conv', 0, 6], ['_blocks.8._project_conv', -37.9422, 43.2157],
  ['_blocks.9._expand_conv', 0, 6], ['_blocks.9._depthwise_conv', 0, 6],
  ['_blocks.9._project_conv', -29.0905, 17.7707], ['blocks.9', -40.6948, 43.6975], ['_blocks.10._expand_conv', 0, 6],
  ['_blocks.10._depthwise_conv', 0, 6], ['_blocks.10._project_conv', -25.6542, 17.9144],
  ['blocks.10', -54.6502, 44.6353], ['_blocks.11._expand_conv', 0, 6], ['_blocks.11._depthwise_conv', 0, 6],
  ['_blocks.11._project_conv', -37.1642, 34.5408], ['_blocks.12._expand_conv', 0, 6],
  ['_blocks.12._depthwise_conv', 0, 6], ['_blocks.12._project_conv', -19.5825, 26.2529],
  ['blocks.12', -42.2476, 40.0224], ['_blocks.13._expand_conv', 0, 6], ['_blocks.13._depthwise_conv', 0, 6],
  ['_blocks.13._project_conv', -16.1699, 18.9504], ['blocks.13', -47.6863, 45.4022], ['_blocks.14._expand_conv', 0, 6],
  ['_blocks.14._depthwise_conv', 0, 6], ['_blocks.14._project_conv', -17.8529, 24.055],
  ['blocks.14', -52.6439, 48.6719], ['_blocks.15._expand_conv', 0, 6], ['_blocks.15._depthwise_conv', 0, 6],
  ['_blocks.15._project_conv', -17.6779, 18.3363], ['_conv_head', 0, 6],
];

// biome-ignore format: a table
const EFFICIENTNET_LITE1: Written = [
  ['image', -0.9921875, 1], ['_conv_stem', 0, 6], ['_blocks.0._depthwise_conv', 0, 6],
  ['_blocks.0._project_conv', -72.9596, 57.8886], ['_blocks.1._expand_conv', 0, 6],
  ['_blocks.1._depthwise_conv', 0, 6], ['_blocks.1._project_conv', -65.6837, 58.6684],
  ['_blocks.2._expand_conv', 0, 6], ['_blocks.2._depthwise_conv', 0, 6],
  ['_blocks.2._project_conv', -58.2689, 56.6329], ['blocks.2', -66.398, 60.9142], ['_blocks.3._expand_conv', 0, 6],
  ['_blocks.3._depthwise_conv', 0, 6], ['_blocks.3._project_conv', -36.1469, 38.3339], ['blocks.3', -83.6499, 85.6019],
  ['_blocks.4._expand_conv', 0, 6], ['_blocks.4._depthwise_conv', 0, 6],
  ['_blocks.4._project_conv', -48.2926, 51.8089], ['_blocks.5._expand_conv', 0, 6],
  ['_blocks.5._depthwise_conv', 0, 6], ['_blocks.5._project_conv', -49.1111, 38.7979], ['blocks.5', -66.2894, 53.6275],
  ['_blocks.6._expand_conv', 0, 6], ['_blocks.6._depthwise_conv', 0, 6],
  ['_blocks.6._project_conv', -26.4797, 34.5134], ['blocks.6', -58.1154, 58.4514], ['_blocks.7._expand_conv', 0, 6],
  ['_blocks.7._depthwise_conv', 0, 6], ['_blocks.7._project_conv', -40.72, 47.4658], ['_blocks.8._expand_conv', 0, 6],
  ['_blocks.8._depthwise_conv', 0, 6], ['_blocks.8._project_conv', -22.0517, 22.7097], ['blocks.8', -39.8328, 45.747],
  ['_blocks.9._expand_conv', 0, 6], ['_blocks.9._depthwise_conv', 0, 6],
  ['_blocks.9._project_conv', -18.5766, 19.7132], ['blocks.9', -39.2196, 45.1254], ['_blocks.10._expand_conv', 0, 6],
  ['_blocks.10._depthwise_conv', 0, 6], ['_blocks.10._project_conv', -16.0106, 13.7915],
  ['blocks.10', -41.4497, 48.897], ['_blocks.11._expand_conv', 0, 6], ['_blocks.11._depthwise_conv', 0, 6],
  ['_blocks.11._project_conv', -46.0417, 39.1282], ['_blocks.12._expand_conv', 0, 6],
  ['_blocks.12._depthwise_conv', 0, 6], ['_blocks.12._project_conv', -34.702, 21.1572],
  ['blocks.12', -48.4252, 40.2102], ['_blocks.13._expand_conv', 0, 6], ['_blocks.13._depthwise_conv', 0, 6],
  ['_blocks.13._project_conv', -25.129, 19.4494], ['blocks.13', -51.369, 40.6362], ['_blocks.14._expand_conv', 0, 6],
  ['_blocks.14._depthwise_conv', 0, 6], ['_blocks.14._project_conv', -20.5456, 22.5344],
  ['blocks.14', -52.6946, 52.6441], ['_blocks.15._expand_conv', 0, 6], ['_blocks.15._depthwise_conv', 0, 6],
  ['_blocks.15._project_conv', -37.4057, 33.3541], ['_blocks.16._expand_conv', 0, 6],
  ['_blocks.16._depthwise_conv', 0, 6], ['_blocks.16._project_conv', -23.217, 17.7259],
  ['blocks.16', -36.4808, 35.5102], ['_blocks.17._expand_conv', 0, 6], ['_blocks.17._depthwise_conv', 0, 6],
  ['_blocks.17._project_conv', -18.7783, 14.4176], ['blocks.17', -51.3849, 39.6459], ['_blocks.18._expand_conv', 0, 6],
  ['_blocks.18._depthwise_conv', 0, 6], ['_blocks.18._project_conv', -21.5159, 17.5261],
  ['blocks.18', -60.697, 43.6425], ['_blocks.19._expand_conv', 0, 6], ['_blocks.19._depthwise_conv', 0, 6],
  ['_blocks.19._project_conv', -20.195, 15.8535], ['blocks.19', -62.0965, 45.4417], ['_blocks.20._expand_conv', 0, 6],
  ['_blocks.20._depthwise_conv', 0, 6], ['_blocks.20._project_conv', -20.3453, 18.9116], ['_conv_head', 0, 6],
];

// biome-ignore format: a table
const EFFICIENTNET_LITE2: Written = [
  ['image', -0.9921875, 1], ['_conv_stem', 0, 6], ['_blocks.0._depthwise_conv', 0, 6],
  ['_blocks.0._project_conv', -53.1663, 54.8012], ['_blocks.1._expand_conv', 0, 6],
  ['_blocks.1._depthwise_conv', 0, 6], ['_blocks.1._project_conv', -73.9318, 63.0994],
  ['_blocks.2._expand_conv', 0, 6], ['_blocks.2._depthwise_conv', 0, 6],
  ['_blocks.2._project_conv', -38.4688, 69.0429], ['blocks.2', -64.3859, 65.8667], ['_blocks.3._expand_conv', 0, 6],
  ['_blocks.3._depthwise_conv', 0, 6], ['_blocks.3._project_conv', -35.7639, 41.5689], ['blocks.3', -66.4286, 86.7371],
  ['_blocks.4._expand_conv', 0, 6], ['_blocks.4._depthwise_conv', 0, 6],
  ['_blocks.4._project_conv', -47.3093, 45.7316], ['_blocks.5._expand_conv', 0, 6],
  ['_blocks.5._depthwise_conv', 0, 6], ['_blocks.5._project_conv', -35.0438, 40.5861], ['blocks.5', -55.7964, 51.4614],
  ['_blocks.6._expand_conv', 0, 6], ['_blocks.6._depthwise_conv', 0, 6], ['_blocks.6._project_conv', -37.483, 22.743],
  ['blocks.6', -61.5474, 53.397], ['_blocks.7._expand_conv', 0, 6], ['_blocks.7._depthwise_conv', 0, 6],
  ['_blocks.7._project_conv', -44.9165, 38.6249], ['_blocks.8._expand_conv', 0, 6],
  ['_blocks.8._depthwise_conv', 0, 6], ['_blocks.8._project_conv', -21.8129, 17.3254], ['blocks.8', -40.9489, 34.6503],
  ['_blocks.9._expand_conv', 0, 6], ['_blocks.9._depthwise_conv', 0, 6],
  ['_blocks.9._project_conv', -19.7499, 17.1561], ['blocks.9', -40.9264, 41.6377], ['_blocks.10._expand_conv', 0, 6],
  ['_blocks.10._depthwise_conv', 0, 6], ['_blocks.10._project_conv', -21.3102, 17.7235],
  ['blocks.10', -40.5394, 46.4425], ['_blocks.11._expand_conv', 0, 6], ['_blocks.11._depthwise_conv', 0, 6],
  ['_blocks.11._project_conv', -38.5212, 41.7584], ['_blocks.12._expand_conv', 0, 6],
  ['_blocks.12._depthwise_conv', 0, 6], ['_blocks.12._project_conv', -25.3021, 22.8952],
  ['blocks.12', -38.5222, 42.1559], ['_blocks.13._expand_conv', 0, 6], ['_blocks.13._depthwise_conv', 0, 6],
  ['_blocks.13._project_conv', -20.4777, 25.7924], ['blocks.13', -42.1447, 50.167], ['_blocks.14._expand_conv', 0, 6],
  ['_blocks.14._depthwise_conv', 0, 6], ['_blocks.14._project_conv', -16.7095, 25.0149],
  ['blocks.14', -47.3908, 56.4971], ['_blocks.15._expand_conv', 0, 6], ['_blocks.15._depthwise_conv', 0, 6],
  ['_blocks.15._project_conv', -35.2613, 35.2446], ['_blocks.16._expand_conv', 0, 6],
  ['_blocks.16._depthwise_conv', 0, 6], ['_blocks.16._project_conv', -15.9435, 23.0666],
  ['blocks.16', -35.3679, 35.9207], ['_blocks.17._expand_conv', 0, 6], ['_blocks.17._depthwise_conv', 0, 6],
  ['_blocks.17._project_conv', -16.6694, 18.8178], ['blocks.17', -39.8452, 38.366], ['_blocks.18._expand_conv', 0, 6],
  ['_blocks.18._depthwise_conv', 0, 6], ['_blocks.18._project_conv', -18.2939, 19.2379],
  ['blocks.18', -42.6548, 40.2369], ['_blocks.19._expand_conv', 0, 6], ['_blocks.19._depthwise_conv', 0, 6],
  ['_blocks.19._project_conv', -25.6472, 21.2607], ['blocks.19', -52.4298, 46.0251], ['_blocks.20._expand_conv', 0, 6],
  ['_blocks.20._depthwise_conv', 0, 6], ['_blocks.20._project_conv', -20.1886, 22.3878], ['_conv_head', 0, 6],
];

/** By the model's id. */
export const EFFICIENTNET_LITE_RANGES: Readonly<Record<string, Ranges>> = {
  'efficientnet-lite0-int8': rangesOf(EFFICIENTNET_LITE0),
  'efficientnet-lite1-int8': rangesOf(EFFICIENTNET_LITE1),
  'efficientnet-lite2-int8': rangesOf(EFFICIENTNET_LITE2),
};

function rangesOf(written: Written): Ranges {
  return Object.fromEntries(written.map(([layer, least, most]) => [layer, [least, most]]));
}
