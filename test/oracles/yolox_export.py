"""Writes test/fixtures/hub/yolox: a small YOLOX with random weights as its own code exports it (yolox 0.3.0, Apache-2.0: boxes in
cells, pixels BGR from 0 to 255), and what its own steps (`preproc`, `demo_postprocess`) make of pictures of the input's width
or height, so that nothing is resized; then torchvision's NMS within each class at 0.65, as its evaluation has it.

    python3 -m venv ENV && ENV/bin/pip install torch torchvision transformers onnx pillow opencv-python-headless loguru tabulate thop psutil pycocotools
    ENV/bin/pip install --no-deps --no-build-isolation yolox==0.3.0
    ENV/bin/python test/oracles/yolox_export.py
"""
import os, sys
import numpy as np
import torch
from PIL import Image
from torchvision.ops import nms

sys.path.insert(0, os.path.dirname(__file__))
from hub_models import OUT, lively, numbers, opened, shorten, write
from yolox.data.data_augment import preproc
from yolox.models import YOLOPAFPN, YOLOX, YOLOXHead
from yolox.utils import demo_postprocess

SIDE, CLASSES, THRESHOLD, OVERLAP = 96, 3, 0.05, 0.65
# Of the width of YOLOX-L.
WIDTH = 3 / 64
# Of a layer, in shares of its mean.
LEAST_VARIANCE = 0.85
FOLDER = os.path.join(OUT, 'yolox')
os.makedirs(FOLDER, exist_ok=True)

torch.manual_seed(83)
model = YOLOX(YOLOPAFPN(0.33, WIDTH, depthwise=True), YOLOXHead(CLASSES, WIDTH, depthwise=True))
model = lively(model, 83, 0.5)
with torch.no_grad():
    # What a network of random weights makes of 0 to 255 is far from what its layers expect: their means are taken from the pictures.
    for m in model.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.momentum, m.eps = None, 1e-3
            m.reset_running_stats()
            m.train()
    model(torch.stack([torch.tensor(preproc(np.asarray(image)[..., ::-1], (SIDE, SIDE))[0]) for image in opened()]))
    model.eval()
    for m in model.modules():
        # Channels that hardly vary are not blown up, or the last bits of a float would grow to what shows.
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_var.clamp_(min=LEAST_VARIANCE * m.running_var.mean())
    for conv in [*model.head.obj_preds, *model.head.cls_preds]:
        conv.bias.sub_(2.2)
    for conv in model.head.reg_preds:
        conv.weight.mul_(0.3)
        # Larger than a cell, so that neighbours overlap.
        conv.bias[2:].add_(1.5)
model.head.decode_in_inference = False
path = os.path.join(FOLDER, 'yolox.onnx')
torch.onnx.export(model, (torch.rand(1, 3, SIDE, SIDE) * 255,), path, input_names=['images'], output_names=['output'], opset_version=11,
                  dynamo=False)
shorten(path)
print(path, os.path.getsize(path))

rows = {}
for file, image, size in zip(['wide.jpg', 'high.jpg'], opened(), [(SIDE, 64), (70, SIDE)]):
    image.resize(size).save(os.path.join(FOLDER, file), quality=90)
    bgr = np.asarray(Image.open(os.path.join(FOLDER, file)).convert('RGB'))[..., ::-1]
    pixels, ratio = preproc(bgr, (SIDE, SIDE))
    assert ratio == 1
    with torch.no_grad():
        decoded = torch.tensor(demo_postprocess(model(torch.tensor(pixels)[None]).numpy().astype('f8'), (SIDE, SIDE)))[0]
    boxes = torch.cat([decoded[:, :2] - decoded[:, 2:4] / 2, decoded[:, :2] + decoded[:, 2:4] / 2], 1)
    scores = decoded[:, 4:5] * decoded[:, 5:]
    rows[f'yolox/{file}'] = []
    for c in range(CLASSES):
        found = (scores[:, c] > THRESHOLD).nonzero()[:, 0]
        kept = found[nms(boxes[found], scores[found, c], OVERLAP)]
        for limit in (OVERLAP - 1e-4, OVERLAP + 1e-4):
            assert kept.equal(found[nms(boxes[found], scores[found, c], limit)]), 'take another seed'
        print(file, c, len(found), len(kept))
        rows[f'yolox/{file}'] += [{'score': float(scores[i, c]), 'class': c, 'box': numbers(boxes[i])} for i in kept]
    assert len(rows[f'yolox/{file}']) <= 100, 'more than are kept of one picture'
write(FOLDER, 'expected.json', {'threshold': THRESHOLD, 'detections': rows})
