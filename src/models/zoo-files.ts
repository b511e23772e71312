/**
 * Files of the ONNX model zoo: path, size, content and score as their publisher states them in its manifest and READMEs.
 * The same bytes lie in more than one place, and what is fetched is checked against the SHA-256 here, wherever it came from.
 */
import type { SourceFile } from '../fetch/fetch.ts';

export interface ZooFile {
  /** From `validated/vision/` in the publisher's repository. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The score that its publisher states. */
  readonly stated?: string;
}

/** The publisher's live copy on the Hugging Face hub, and the older one in Git LFS of its repository. */
const PLACES: readonly ((path: string) => string)[] = [
  (path) => `hf:onnxmodelzoo/legacy_models@main#${path}`,
  (path) => `https://media.githubusercontent.com/media/onnx/models/main/${path}`,
];

/** Networks that say which of the 1,000 classes of ImageNet an image shows. */
export const ZOO_CLASSIFIERS = {
  'bvlcalexnet-12-int8': {
    path: 'classification/alexnet/model/bvlcalexnet-12-int8.onnx',
    bytes: 60984008,
    sha256: 'd53bbedf100be79277cf55d78c72bdcb67d88786988561bf5d530f038e443c7b',
    stated: 'ImageNet top-1 57.1 % in 32-bit floats',
  },
  'bvlcalexnet-12': {
    path: 'classification/alexnet/model/bvlcalexnet-12.onnx',
    bytes: 243863787,
    sha256: '6b0da9510f27f234ee96a85dc3809dd210150fdefad87f6850f9788513216945',
    stated: 'ImageNet top-1 57.1 %',
  },
  'caffenet-12-int8': {
    path: 'classification/caffenet/model/caffenet-12-int8.onnx',
    bytes: 60984071,
    sha256: 'ee44f74d2582aa4ca7131929cd28b2a07f5f39f951d8d4f997fffcbed42aa61d',
    stated: 'ImageNet top-1 57.4 % in 32-bit floats',
  },
  'densenet-12-int8': {
    path: 'classification/densenet-121/model/densenet-12-int8.onnx',
    bytes: 8901304,
    sha256: '22ab62382b43c2757d84832bf7db13569ab22073d2b1c086ab5669be46d89016',
  },
  'densenet-12': {
    path: 'classification/densenet-121/model/densenet-12.onnx',
    bytes: 32726877,
    sha256: '0294e7e88e5b3360de9b0fdc321baf9e6ef18b7f058c4536caae3b9f18ed9ed5',
  },
  'efficientnet-lite4-11-int8': {
    path: 'classification/efficientnet-lite4/model/efficientnet-lite4-11-int8.onnx',
    bytes: 13585963,
    sha256: '2b3cbb5077262b20df565dacddecb3724c0976c35029a87e512d13aa4eff04a2',
    stated: 'ImageNet top-1 77.56 %',
  },
  'efficientnet-lite4-11-qdq': {
    path: 'classification/efficientnet-lite4/model/efficientnet-lite4-11-qdq.onnx',
    bytes: 13469992,
    sha256: '6837d0b19625d4aff8266d7197a7f3775afd82a8c40f9fd0283d52db4955566f',
  },
  'efficientnet-lite4-11': {
    path: 'classification/efficientnet-lite4/model/efficientnet-lite4-11.onnx',
    bytes: 51946641,
    sha256: 'd111689907c06eea7c82e4833ddef758da6453b9d4cf60b7e99ca05c7cbd9c12',
    stated: 'ImageNet top-1 80.4 %, 77.7 % by who quantised it',
  },
  'googlenet-12-qdq': {
    path: 'classification/inception_and_googlenet/googlenet/model/googlenet-12-qdq.onnx',
    bytes: 7135204,
    sha256: 'f764ae1ed52e5fca319a43a19e9526d2f028e7f10b9d17a8eefcb098cd90d36d',
    stated: 'ImageNet top-1 68.7 % in 32-bit floats',
  },
  'googlenet-12': {
    path: 'classification/inception_and_googlenet/googlenet/model/googlenet-12.onnx',
    bytes: 28021836,
    sha256: 'c99c507058eaf41de8723408fdda7db8325cb57f0a89f2ee07a716d6e963e14e',
    stated: 'ImageNet top-1 68.7 %',
  },
  'inception-v1-12-qdq': {
    path: 'classification/inception_and_googlenet/inception_v1/model/inception-v1-12-qdq.onnx',
    bytes: 7135424,
    sha256: 'c6a8e07c53ea417a0001ebba885a3a623f1c3c51fac105485aca638e2f3de25d',
  },
  'inception-v1-12': {
    path: 'classification/inception_and_googlenet/inception_v1/model/inception-v1-12.onnx',
    bytes: 28021958,
    sha256: '814b31a6316873bd03d2d808415ce1f40a7bf48ad88eab5ecc3cdc8dc6cf38ec',
  },
  'inception-v2-9': {
    path: 'classification/inception_and_googlenet/inception_v2/model/inception-v2-9.onnx',
    bytes: 45042799,
    sha256: '37ed4aa93f817fd0d1cc19bda045ebd70f18d0887a5f51e66ecd0ed8fd5a65c2',
  },
  'mobilenetv2-12-int8': {
    path: 'classification/mobilenet/model/mobilenetv2-12-int8.onnx',
    bytes: 3655033,
    sha256: 'cc028fe6cae7bc11a4ff53cfc9b79c920e8be65ce33a904ec3e2a8f66d77f95f',
  },
  'mobilenetv2-12-qdq': {
    path: 'classification/mobilenet/model/mobilenetv2-12-qdq.onnx',
    bytes: 3593903,
    sha256: '41a36090dafe98f4ad8f9b7fe0b218c56ac3c031e547f0367c30655d2702bffe',
  },
  'mobilenetv2-12': {
    path: 'classification/mobilenet/model/mobilenetv2-12.onnx',
    bytes: 13964571,
    sha256: 'c0c3f76d93fa3fd6580652a45618618a220fced18babf65774ed169de0432ad5',
    stated: 'ImageNet top-1 70.94 % (of its opset 10 form)',
  },
  'resnet101-v1-7': {
    path: 'classification/resnet/model/resnet101-v1-7.onnx',
    bytes: 178914043,
    sha256: '760702f6ec0138f71ebac66f4e95d1c72dc9267a8544f4d4667a53075fd0497c',
  },
  'resnet101-v2-7': {
    path: 'classification/resnet/model/resnet101-v2-7.onnx',
    bytes: 178682301,
    sha256: '3a0a819ea0953fb4700b0d98e43540aeee253e5b4c503c552b0c7979fc67767d',
  },
  'resnet152-v1-7': {
    path: 'classification/resnet/model/resnet152-v1-7.onnx',
    bytes: 241816206,
    sha256: 'b0ec92437bf8c9d0739bf9bafdea9638e13f9e3c1e2fb766ad546cc182fd3f6d',
  },
  'resnet152-v2-7': {
    path: 'classification/resnet/model/resnet152-v2-7.onnx',
    bytes: 241503848,
    sha256: '40fb3f6dd313ba786a2c8077a0ef7d7b4afeda5d037365400d3a7fbc2b1bee64',
  },
  'resnet18-v1-7': {
    path: 'classification/resnet/model/resnet18-v1-7.onnx',
    bytes: 46820737,
    sha256: '4e8f8653e7a2222b3904cc3fe8e304cd8b339ce1d05fd24688162f86fb6df52c',
    stated: 'ImageNet top-1 69.93 %',
  },
  'resnet18-v2-7': {
    path: 'classification/resnet/model/resnet18-v2-7.onnx',
    bytes: 46806737,
    sha256: '3b4d048057854022232aa20bf68262e31718ab7119a17f920b8a2dc1433f824b',
    stated: 'ImageNet top-1 69.70 %',
  },
  'resnet34-v1-7': {
    path: 'classification/resnet/model/resnet34-v1-7.onnx',
    bytes: 87302588,
    sha256: '883a41b2e30ddc2e422c108b091b5e70b92d37dc5c345a2c563dcae27971e2cc',
    stated: 'ImageNet top-1 73.73 %',
  },
  'resnet34-v2-7': {
    path: 'classification/resnet/model/resnet34-v2-7.onnx',
    bytes: 87288587,
    sha256: '3d3815e25f4b1ea967e2a526a3b27ef2a03af1725bdc199a63a271c26862d914',
    stated: 'ImageNet top-1 73.36 %',
  },
  'resnet50-v1-12-int8': {
    path: 'classification/resnet/model/resnet50-v1-12-int8.onnx',
    bytes: 25816052,
    sha256: 'c234f30975989788b4405f25253275aae247ab6dbdd34aaa69ab0a59ff76f6d0',
  },
  'resnet50-v1-12-qdq': {
    path: 'classification/resnet/model/resnet50-v1-12-qdq.onnx',
    bytes: 25753167,
    sha256: 'e6429d274805654c79ba68dc886c1efd4eff95393e747c35d3fdab579febd8a0',
  },
  'resnet50-v1-12': {
    path: 'classification/resnet/model/resnet50-v1-12.onnx',
    bytes: 102576593,
    sha256: '3f03fdef724b22947eed826f1eef1dc5c34151bb4c37d634f1db89dfa2dd1526',
  },
  'resnet50-v2-7': {
    path: 'classification/resnet/model/resnet50-v2-7.onnx',
    bytes: 102442452,
    sha256: '79102261eb6e5fd7af5d27f41316293e388c5cb691e5d25bfb035c4f64fefe31',
  },
  'shufflenet-9': {
    path: 'classification/shufflenet/model/shufflenet-9.onnx',
    bytes: 5723770,
    sha256: '3642c54024f09d35236f325df9822e772596c394cd90fd8e98ca1d2eba309e6f',
  },
  'shufflenet-v2-12-qdq': {
    path: 'classification/shufflenet/model/shufflenet-v2-12-qdq.onnx',
    bytes: 2415805,
    sha256: '7c536d02e2f6af9569e5f3c7a4d8282060072119524c93c8da71e63876b4722b',
  },
  'shufflenet-v2-12': {
    path: 'classification/shufflenet/model/shufflenet-v2-12.onnx',
    bytes: 9218556,
    sha256: 'ea69821b4dd374ae2f33f9710dd1229ac263d0ee5b5a46ca3521f6483e1ba035',
    stated: 'ImageNet top-1 66.35 %',
  },
  'squeezenet1-0-12-int8': {
    path: 'classification/squeezenet/model/squeezenet1.0-12-int8.onnx',
    bytes: 1293388,
    sha256: '3da17dfad1b7ba23c93fac6dbf49f6db78cd42f7519e915a2e27d37c5c0a972b',
  },
  'squeezenet1-0-13-qdq': {
    path: 'classification/squeezenet/model/squeezenet1.0-13-qdq.onnx',
    bytes: 1345213,
    sha256: '4a567dd7542ef440890d57268fabf47211174c593d7a1837bd7f16a1067169e7',
  },
  'squeezenet1-1-7': {
    path: 'classification/squeezenet/model/squeezenet1.1-7.onnx',
    bytes: 4956208,
    sha256: '1eeff551a67ae8d565ca33b572fc4b66e3ef357b0eb2863bb9ff47a918cc4088',
    stated: 'ImageNet top-1 56.34 %',
  },
  'vgg16-12-int8': {
    path: 'classification/vgg/model/vgg16-12-int8.onnx',
    bytes: 138407238,
    sha256: '0d0a8e1d69f70404421e37dbad4f8bd21d42758e9f426bd5b39e9e4e9e1afa23',
    stated: 'ImageNet top-1 72.62 % in 32-bit floats',
  },
  'vgg16-12-qdq': {
    path: 'classification/vgg/model/vgg16-12-qdq.onnx',
    bytes: 138424439,
    sha256: '74ae0fa7e9e5b16782581bf17b5582080d1c06b69ed59410c7b1f190d9328bb1',
    stated: 'ImageNet top-1 72.62 % in 32-bit floats',
  },
  'vgg16-12': {
    path: 'classification/vgg/model/vgg16-12.onnx',
    bytes: 553437752,
    sha256: '722c42f53ca03a5480296bf8f9c85a151de3eed9ec982d7d2302ff6e2900c67b',
    stated: 'ImageNet top-1 72.62 %',
  },
  'vgg16-bn-7': {
    path: 'classification/vgg/model/vgg16-bn-7.onnx',
    bytes: 553512191,
    sha256: '4fdceabf1ef715c9ed3020fa2eac1cb2a448296c086b03633c80cf47e1c5afce',
    stated: 'ImageNet top-1 72.71 %',
  },
  'vgg19-7': {
    path: 'classification/vgg/model/vgg19-7.onnx',
    bytes: 574677321,
    sha256: '692f9f927f1df1b89033787a77a73eac59fd9b3344f9ecdf0b13221e41c2046f',
  },
  'vgg19-bn-7': {
    path: 'classification/vgg/model/vgg19-bn-7.onnx',
    bytes: 574774380,
    sha256: 'ce0987dfa6228ad29708013f38b7f73cbc14ca6066a05fc22ee49b35871c63ed',
  },
  'zfnet512-12-qdq': {
    path: 'classification/zfnet-512/model/zfnet512-12-qdq.onnx',
    bytes: 87288258,
    sha256: 'd29f9fe228a3b1ea4333e69f156faee1075e610721b46730c7ebeeb9ede36727',
  },
} as const satisfies Readonly<Record<string, ZooFile>>;

/** Networks that find COCO's 80 classes of objects. */
export const ZOO_DETECTORS = {
  'fasterrcnn-12-int8': {
    path: 'object_detection_segmentation/faster-rcnn/model/FasterRCNN-12-int8.onnx',
    bytes: 44631113,
    sha256: '95f67f5f6249f4804f1302367dd88cee32bf47713b9858cc6d8ba835548f9b8e',
    stated: 'COCO box mAP 0.341',
  },
  'maskrcnn-12-int8': {
    path: 'object_detection_segmentation/mask-rcnn/model/MaskRCNN-12-int8.onnx',
    bytes: 45769352,
    sha256: '4409935e855719fd6cd986f7ec2a3de840d0bd9c9cf7a0cba84ce95377f5b476',
    stated: 'COCO mAP 0.331',
  },
  'maskrcnn-12': {
    path: 'object_detection_segmentation/mask-rcnn/model/MaskRCNN-12.onnx',
    bytes: 177970010,
    sha256: '5bf940c124d9117f6fae350c4e0d46df180cbb01981832b35fdbed148078b946',
    stated: 'COCO mAP 0.361 of boxes, 0.327 of masks (of its opset 10 form)',
  },
  'retinanet-9': {
    path: 'object_detection_segmentation/retinanet/model/retinanet-9.onnx',
    bytes: 228369343,
    sha256: '06742923960ec4d9899e6fe407d4d2df013fe6962504f099463ca1b8cba45e44',
    stated: 'COCO box mAP 0.376',
  },
  'ssd-mobilenet-v1-12-int8': {
    path: 'object_detection_segmentation/ssd-mobilenetv1/model/ssd_mobilenet_v1_12-int8.onnx',
    bytes: 9540809,
    sha256: '2b79e6a7fb1ec6a33f332b9b10d82d9de4b7b49dcd26b5946921bb356895c954',
  },
  'ssd-mobilenet-v1-12': {
    path: 'object_detection_segmentation/ssd-mobilenetv1/model/ssd_mobilenet_v1_12.onnx',
    bytes: 29461455,
    sha256: 'b8fba5e404077d4048d27fcd1667e85e27e192eb9bf51e696c46a3acd7d21058',
  },
  'ssd-12-qdq': {
    path: 'object_detection_segmentation/ssd/model/ssd-12-qdq.onnx',
    bytes: 20479614,
    sha256: 'fba599b77e556525844e4e1022a9f60969b0e9130baa03640539cb0b58f474a2',
  },
  'yolov3-12-int8': {
    path: 'object_detection_segmentation/yolov3/model/yolov3-12-int8.onnx',
    bytes: 62912863,
    sha256: '9230c02fb8e578c6ecfeeb3f0d4fee1bf05bf9c11d4e0399550d6d57a9ad7b5c',
  },
  yolov4: {
    path: 'object_detection_segmentation/yolov4/model/yolov4.onnx',
    bytes: 257470589,
    sha256: '1881fe9c506c970d7866cb4bfc33bda791ce46951a3c39c45ace2ff2b9daf369',
  },
} as const satisfies Readonly<Record<string, ZooFile>>;

export function zooSource({ path, bytes, sha256 }: ZooFile): SourceFile {
  const [reference = '', ...otherPlaces] = PLACES.map((place) => place(`validated/vision/${path}`));
  return { reference, otherPlaces, sha256, byteSize: bytes };
}
