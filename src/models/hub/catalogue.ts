/**
 * Models of the hub by short names: facts as their publishers state them, with where. Nobody ran these when this version was
 * made: no hub could be reached. So there is no commit here either: the one that a name means is fixed when it is first
 * fetched, with the digests that the hub states, and everything about pixels and words is read from the repository's own files.
 *
 * What was looked up in copies of public pages: the figures of DINOv2, DINOv3 (as quoted by who trained their probes), SigLIP 2, D-FINE,
 * RF-DETR base, Grounding DINO T, OWLv2, MobileSAM, RT-DETR and RT-DETRv2 (their repository's README; v1 by what it says v2 gains)
 * and SAM 2.1 (what its README was quoted with). The others are the papers' as they are commonly quoted, and were not compared with
 * the papers here; nor could it be seen that each repository is still there.
 *
 * Repositories are those of the hub's ONNX exports; `modelType` is what their `config.json` says, see `families.ts`.
 */
export interface HubModel {
  readonly id: string;
  /** `OWNER/REPO`, or `OWNER/REPO@REVISION`; by itself that is `main`. */
  readonly repository: string;
  readonly modelType: string;
  readonly role: 'embedder' | 'detector' | 'segmenter';
  /** SPDX where there is one. */
  readonly licence: string;
  readonly description: string;
  /** What its publisher says that it scores, and where it says so. */
  readonly stated: string;
}

type Row = readonly [id: string, repository: string, description: string, stated: string, licence?: string];

const APACHE = 'Apache-2.0';

function rows(role: HubModel['role'], modelType: string, about: string, list: readonly Row[]): HubModel[] {
  return list.map(([id, repository, what, stated, licence = APACHE]) => {
    return { id, repository, modelType, role, licence, description: `${what}; ${about}`, stated };
  });
}

/** Meta's own: commercial use is allowed, military use is not; the hub asks to accept it. */
const DINOV3_LICENCE = 'LicenseRef-DINOv3';
const ZERO_SHOT = 'ImageNet zero-shot';

export const HUB_MODELS: readonly HubModel[] = [
  ...rows('embedder', 'siglip', 'images and words, 109 languages', [
    [
      'siglip2-base',
      'onnx-community/siglip2-base-patch16-224-ONNX',
      'SigLIP 2 B/16, 224 px, 86 M and the text’s 282 M',
      `${ZERO_SHOT} 78.2 % (arXiv 2502.14786, table 1)`,
    ],
    [
      'siglip2-base-256',
      'onnx-community/siglip2-base-patch16-256-ONNX',
      'SigLIP 2 B/16, 256 px, 86 M and the text’s 282 M',
      `${ZERO_SHOT} 79.1 % (arXiv 2502.14786, table 1)`,
    ],
    [
      'siglip2-large-256',
      'onnx-community/siglip2-large-patch16-256-ONNX',
      'SigLIP 2 L/16, 256 px, 303 M and the text’s 565 M',
      `${ZERO_SHOT} 82.5 % (arXiv 2502.14786, table 1)`,
    ],
    [
      'siglip2-so400m-256',
      'onnx-community/siglip2-so400m-patch16-256-ONNX',
      'SigLIP 2 So400m/16, 256 px, 428 M and the text’s 708 M',
      `${ZERO_SHOT} 83.4 % (arXiv 2502.14786, table 1)`,
    ],
  ]),
  ...rows('embedder', 'siglip', 'images and words, English', [
    [
      'siglip-base',
      'Xenova/siglip-base-patch16-224',
      'SigLIP B/16, 224 px, 93 M and the text’s 110 M',
      `${ZERO_SHOT} 76.2 % (arXiv 2502.14786, table 1)`,
    ],
  ]),
  ...rows('embedder', 'clip', 'images and words, English', [
    [
      'clip-base-32',
      'Xenova/clip-vit-base-patch32',
      'CLIP B/32, 224 px, 88 M and the text’s 63 M',
      `${ZERO_SHOT} 63.2 % (arXiv 2103.00020, table 11)`,
      'MIT',
    ],
    [
      'clip-base-16',
      'Xenova/clip-vit-base-patch16',
      'CLIP B/16, 224 px, 86 M and the text’s 63 M',
      `${ZERO_SHOT} 68.6 % (arXiv 2103.00020, table 11)`,
      'MIT',
    ],
    [
      'clip-large-14',
      'Xenova/clip-vit-large-patch14',
      'CLIP L/14, 224 px, 304 M and the text’s 124 M',
      `${ZERO_SHOT} 75.3 % (arXiv 2103.00020, table 11)`,
      'MIT',
    ],
  ]),
  ...rows('embedder', 'dinov2', 'trained with no labels', [
    ['dinov2-small', 'onnx-community/dinov2-small', 'DINOv2 S/14, 224 px, 21 M', dinov2('79.0', '81.1')],
    ['dinov2-base', 'onnx-community/dinov2-base', 'DINOv2 B/14, 224 px, 86 M', dinov2('82.1', '84.5')],
    ['dinov2-large', 'onnx-community/dinov2-large', 'DINOv2 L/14, 224 px, 300 M', dinov2('83.5', '86.3')],
  ]),
  ...rows('embedder', 'dinov2_with_registers', 'trained with no labels, cleaner maps', [
    [
      'dinov2-small-registers',
      'onnx-community/dinov2-with-registers-small',
      'DINOv2 S/14 with registers, 224 px, 21 M',
      dinov2('79.1', '80.9'),
    ],
    [
      'dinov2-base-registers',
      'onnx-community/dinov2-with-registers-base',
      'DINOv2 B/14 with registers, 224 px, 86 M',
      dinov2('82.0', '84.6'),
    ],
  ]),
  ...rows('embedder', 'dinov3_vit', 'trained with no labels; its licence asks for a note of it', [
    ['dinov3-small', dinov3('vits16'), 'DINOv3 S/16, 224 px, 21 M', dinov3Figure('87.0'), DINOV3_LICENCE],
    ['dinov3-base', dinov3('vitb16'), 'DINOv3 B/16, 224 px, 86 M', dinov3Figure('89.3'), DINOV3_LICENCE],
    ['dinov3-large', dinov3('vitl16'), 'DINOv3 L/16, 224 px, 300 M', dinov3Figure('90.2'), DINOV3_LICENCE],
  ]),
  ...rows('embedder', 'vit', 'ImageNet-21k, tuned on ImageNet-1k; also says what is in an image', [
    [
      'vit-base',
      'Xenova/vit-base-patch16-224',
      'ViT B/16, 224 px, 86 M',
      'no figure at 224 px was found; at 384 px ImageNet top-1 84.0 % (arXiv 2010.11929, table 5)',
    ],
  ]),
  ...rows('embedder', 'deit', 'ImageNet-1k', [
    ['deit-tiny', 'Xenova/deit-tiny-patch16-224', 'DeiT Ti/16, 224 px, 5.7 M', deit('72.2')],
    ['deit-small', 'Xenova/deit-small-patch16-224', 'DeiT S/16, 224 px, 22 M', deit('79.8')],
    ['deit-base', 'Xenova/deit-base-patch16-224', 'DeiT B/16, 224 px, 86 M', deit('81.8')],
  ]),
  ...rows('embedder', 'swin', 'ImageNet-1k', [
    ['swin-tiny', 'Xenova/swin-tiny-patch4-window7-224', 'Swin T, 224 px, 29 M', swin('81.3')],
    ['swin-small', 'Xenova/swin-small-patch4-window7-224', 'Swin S, 224 px, 50 M', swin('83.0')],
    ['swin-base', 'Xenova/swin-base-patch4-window7-224', 'Swin B, 224 px, 88 M', swin('83.5')],
  ]),
  ...rows('embedder', 'convnext', 'ImageNet-1k', [
    ['convnext-tiny', 'Xenova/convnext-tiny-224', 'ConvNeXt T, 224 px, 29 M', convnext('82.1')],
    ['convnext-small', 'Xenova/convnext-small-224', 'ConvNeXt S, 224 px, 50 M', convnext('83.1')],
    ['convnext-base', 'Xenova/convnext-base-224', 'ConvNeXt B, 224 px, 89 M', convnext('83.8')],
  ]),
  ...rows('embedder', 'resnet', 'ImageNet-1k', [
    [
      'resnet-18',
      'Xenova/resnet-18',
      'ResNet-18, 224 px, 11.7 M',
      'ImageNet top-1 69.8 % (torchvision, of the same architecture)',
    ],
    [
      'resnet-50',
      'Xenova/resnet-50',
      'ResNet-50 v1.5, 224 px, 25.6 M',
      'ImageNet top-1 76.1 % (torchvision, of the same architecture)',
    ],
  ]),
  ...rows('embedder', 'timm_wrapper', 'ImageNet-1k, for small machines', [
    [
      'mobilenetv4-small',
      'onnx-community/mobilenetv4_conv_small.e2400_r224_in1k',
      'MobileNetV4 conv small, 224 px, 3.8 M',
      'ImageNet top-1 73.8 % (arXiv 2404.10518, table 5)',
    ],
  ]),
  ...rows('detector', 'd_fine', 'COCO’s 80 classes, 640 px', [
    ['d-fine-n', 'onnx-community/dfine_n_coco-ONNX', 'D-FINE N, 4 M', dfine('42.8')],
    ['d-fine-s', 'onnx-community/dfine_s_coco-ONNX', 'D-FINE S, 10 M', dfine('48.5')],
    ['d-fine-m', 'onnx-community/dfine_m_coco-ONNX', 'D-FINE M, 19 M', dfine('52.3')],
    ['d-fine-l', 'onnx-community/dfine_l_coco-ONNX', 'D-FINE L, 31 M', dfine('54.0')],
  ]),
  ...rows('detector', 'rf_detr', 'COCO’s 80 classes, 560 px', [
    [
      'rf-detr-base',
      'onnx-community/rfdetr_base-ONNX',
      'RF-DETR base, 29 M',
      'COCO val AP 53.3 (github.com/roboflow/rf-detr)',
    ],
  ]),
  ...rows('detector', 'rt_detr', 'COCO’s 80 classes, 640 px', [
    [
      'rt-detr-r18',
      'onnx-community/rtdetr_r18vd',
      'RT-DETR R18, 20 M',
      'COCO val AP 46.5 (github.com/lyuwenyu/RT-DETR)',
    ],
    ['rt-detr-r50', 'onnx-community/rtdetr_r50vd', 'RT-DETR R50, 42 M', 'COCO val AP 53.1 (arXiv 2304.08069, table 2)'],
  ]),
  ...rows('detector', 'rt_detr_v2', 'COCO’s 80 classes, 640 px', [
    [
      'rt-detr-v2-r18',
      'onnx-community/rtdetr_v2_r18vd-ONNX',
      'RT-DETRv2 S (R18), 20 M',
      'COCO val AP 48.1 (github.com/lyuwenyu/RT-DETR)',
    ],
    [
      'rt-detr-v2-r50',
      'onnx-community/rtdetr_v2_r50vd-ONNX',
      'RT-DETRv2 L (R50), 42 M',
      'COCO val AP 53.4 (github.com/lyuwenyu/RT-DETR)',
    ],
  ]),
  ...rows('detector', 'detr', 'COCO’s 80 classes, sides of 800 to 1333 px', [
    ['detr-r50', 'Xenova/detr-resnet-50', 'DETR R50, 41 M', 'COCO val AP 42.0 (arXiv 2005.12872, table 1)'],
  ]),
  ...rows('detector', 'yolos', 'COCO’s 80 classes', [
    ['yolos-tiny', 'Xenova/yolos-tiny', 'YOLOS Ti, 6.5 M', 'COCO val AP 28.7 (arXiv 2106.00666)'],
    ['yolos-small', 'Xenova/yolos-small', 'YOLOS S, 31 M', 'COCO val AP 36.1 (arXiv 2106.00666)'],
  ]),
  ...rows('detector', 'grounding-dino', 'finds what it is told in words', [
    [
      'grounding-dino-tiny',
      'onnx-community/grounding-dino-tiny-ONNX',
      'Grounding DINO T, 172 M',
      'COCO val AP 48.4 with no picture of COCO (arXiv 2303.05499)',
    ],
  ]),
  ...rows('segmenter', 'sam2', 'masks by box, 1024 px', [
    ['sam2-tiny', 'onnx-community/sam2.1-hiera-tiny-ONNX', 'SAM 2.1 tiny, 39 M', sam2('76.5')],
    ['sam2-small', 'onnx-community/sam2.1-hiera-small-ONNX', 'SAM 2.1 small, 46 M', sam2('76.6')],
    ['sam2-base', 'onnx-community/sam2.1-hiera-base-plus-ONNX', 'SAM 2.1 base+, 81 M', sam2('78.2')],
  ]),
  ...rows('segmenter', 'sam-export', 'masks by box, 1024 px', [
    [
      'mobile-sam',
      'Acly/MobileSAM',
      'MobileSAM (TinyViT), 10 M',
      'IoU with SAM H’s own masks .73, by two points 100 px apart (github.com/ChaoningZhang/MobileSAM)',
      'MIT',
    ],
  ]),
  ...rows('segmenter', 'sam', 'masks by box, 1024 px', [
    // The revision whose decoder takes boxes; that of `main` takes points alone.
    [
      'slimsam',
      'Xenova/slimsam-77-uniform@boxes',
      'SlimSAM, of SAM B with 77 % taken out, 10 M',
      'a figure by points alone, in a picture (github.com/czg1225/SlimSAM)',
    ],
  ]),
  ...rows('detector', 'owlv2', 'finds what it is told in words, 960 px', [
    ['owlv2-base', 'Xenova/owlv2-base-patch16-ensemble', 'OWLv2 B/16, 155 M', owlv2('43.9', '40.5')],
    ['owlv2-base-finetuned', 'Xenova/owlv2-base-patch16-finetuned', 'OWLv2 B/16, tuned, 155 M', owlv2('41.4', '36.2')],
  ]),
];

function dinov2(kNN: string, linear: string): string {
  return `ImageNet k-NN ${kNN} %, linear ${linear} % (github.com/facebookresearch/dinov2)`;
}

function dinov3(size: string): string {
  return `onnx-community/dinov3-${size}-pretrain-lvd1689m-ONNX`;
}

/** Its own accuracy on ImageNet's labels is not published. */
function dinov3Figure(linear: string): string {
  return `ImageNet ReaL, linear ${linear} % (arXiv 2508.10104, table 14)`;
}

function owlv2(all: string, rare: string): string {
  return `LVIS AP ${all}, of rare classes ${rare} (github.com/google-research/scenic, owl_vit)`;
}

function deit(top1: string): string {
  return `ImageNet top-1 ${top1} % (arXiv 2012.12877, table 5)`;
}

function swin(top1: string): string {
  return `ImageNet top-1 ${top1} % (arXiv 2103.14030, table 1)`;
}

function convnext(top1: string): string {
  return `ImageNet top-1 ${top1} % (arXiv 2201.03545, table 1)`;
}

function sam2(score: string): string {
  return `SA-V test J&F ${score}, of videos (github.com/facebookresearch/sam2)`;
}

function dfine(ap: string): string {
  return `COCO val AP ${ap} (arXiv 2410.13842; github.com/Peterande/D-FINE)`;
}

/** Names for `models pull --all-of`. */
export const SETS = {
  /** Images and words. */
  'zero-shot': ['siglip2-base'],
  fast: ['mobilenetv3-small', 'centernet'],
  balanced: ['dinov2-small', 'd-fine-s'],
  best: ['siglip2-base', 'dinov2-base', 'd-fine-m'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export const SET_NAMES = ['zero-shot', 'fast', 'balanced', 'best'] as const satisfies readonly (keyof typeof SETS)[];
