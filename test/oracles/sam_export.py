"""Writes test/fixtures/hub/sam_export: a small SAM with random weights as its own code exports it (`SamOnnxModel` of segment-anything
1.0, which MobileSAM's decoder is too), its encoder as MobileSAM's on the hub are (pixels of 0 to 255, rows first,
colours and padding inside), and what its own `SamPredictor` makes of boxes.

    python3 -m venv ENV && ENV/bin/pip install torch torchvision onnx pillow && ENV/bin/pip install --no-deps segment-anything==1.0
    ENV/bin/python test/oracles/sam_export.py
"""
import os, sys
import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, os.path.dirname(__file__))
from hub_models import BOXES, OUT, PICTURES, lively, numbers, opened, run_lengths, shorten, write
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.predictor import SamPredictor
from segment_anything.utils.onnx import SamOnnxModel

SIDE, FOLDER = 64, os.path.join(OUT, 'sam_export')


class Encoder(torch.nn.Module):
    def __init__(self, sam):
        super().__init__()
        self.sam = sam

    def forward(self, input_image):
        pixels = ((input_image.permute(2, 0, 1) - self.sam.pixel_mean) / self.sam.pixel_std).unsqueeze(0)
        return self.sam.image_encoder(F.pad(pixels, (0, SIDE - input_image.shape[1], 0, SIDE - input_image.shape[0])))


sam = lively(Sam(
    image_encoder=ImageEncoderViT(depth=2, embed_dim=16, img_size=SIDE, mlp_ratio=2, num_heads=2, patch_size=16, qkv_bias=True,
                                  use_rel_pos=True, window_size=2, global_attn_indexes=(1,), out_chans=32),
    prompt_encoder=PromptEncoder(embed_dim=32, image_embedding_size=(4, 4), input_image_size=(SIDE, SIDE), mask_in_chans=4),
    mask_decoder=MaskDecoder(num_multimask_outputs=3, transformer_dim=32, iou_head_depth=2, iou_head_hidden_dim=16,
                             transformer=TwoWayTransformer(depth=1, embedding_dim=32, mlp_dim=32, num_heads=2))), 91, 0.3)
os.makedirs(FOLDER, exist_ok=True)
encoder, decoder = (os.path.join(FOLDER, name) for name in ('mobile_sam_image_encoder.onnx', 'sam_mask_decoder_multi.onnx'))
torch.onnx.export(Encoder(sam).eval(), (torch.rand(40, SIDE, 3) * 255,), encoder, input_names=['input_image'], opset_version=17,
                  output_names=['image_embeddings'], dynamic_axes={'input_image': {0: 'height', 1: 'width'}}, dynamo=False)
given = {'image_embeddings': torch.rand(1, 32, 4, 4), 'point_coords': torch.tensor([[[10.0, 10], [40, 40], [20, 20]]]),
         'point_labels': torch.tensor([[2.0, 3, 1]]), 'mask_input': torch.zeros(1, 1, 16, 16), 'has_mask_input': torch.zeros(1),
         'orig_im_size': torch.tensor([133.0, 201.0])}
torch.onnx.export(SamOnnxModel(sam, return_single_mask=False).eval(), tuple(given.values()), decoder, input_names=list(given),
                  output_names=['masks', 'iou_predictions', 'low_res_masks'], opset_version=17, dynamo=False,
                  dynamic_axes={'point_coords': {1: 'num_points'}, 'point_labels': {1: 'num_points'}})
for path in (encoder, decoder):
    shorten(path)
    print(path, os.path.getsize(path))
rows = {}
for file, image in zip(PICTURES, opened()):
    predictor = SamPredictor(sam)
    predictor.set_image(np.asarray(image))
    rows[file] = []
    for box in BOXES[file]:
        masks, scores, logits = predictor.predict(box=np.array(box), multimask_output=True)
        best = int(scores.argmax())
        assert np.sort(scores)[-1] - np.sort(scores)[-2] > 1e-4, 'take another seed'
        rows[file].append({'box': box, 'score': float(scores[best]), 'logits': numbers(torch.tensor(logits[best]), 6),
                           'counts': run_lengths(masks[best].T.flatten())})
write(FOLDER, 'expected.json', {'masks': rows})
