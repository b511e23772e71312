"""Checks that what RF-DETR's own package (`rfdetr.export`) makes of test/fixtures/hub/rf_detr is what its expected.json has, which
transformers made: the test of exports with `dets` and `labels` goes by that file.

    python3 -m venv ENV && ENV/bin/pip install torch torchvision onnxruntime pillow && ENV/bin/pip install --no-deps rfdetr==1.11.2
    ENV/bin/python test/oracles/rf_detr_export.py
"""
import importlib.util, json, os, sys, types
import numpy as np
import onnxruntime
from PIL import Image

# The package as a whole wants more than is needed here.
ROOT = next(p for p in (os.path.join(path, 'rfdetr') for path in sys.path) if os.path.isdir(p))
for name, path in [('rfdetr', ''), ('rfdetr.export', 'export'), ('rfdetr.export._runtime', 'export/_runtime'), ('rfdetr.utilities', 'utilities')]:
    sys.modules[name] = module = types.ModuleType(name)
    module.__path__ = [os.path.join(ROOT, path)]
from rfdetr.export._runtime.decode import decode_detections
from rfdetr.export._runtime.preprocess import preprocess_to_nchw

HUB = os.path.join(os.path.dirname(__file__), '..', 'fixtures', 'hub')
with open(os.path.join(HUB, 'rf_detr', 'expected.json')) as f:
    expected = json.load(f)
with open(os.path.join(HUB, 'rf_detr', 'config.json')) as f:
    names = json.load(f)['id2label']
session = onnxruntime.InferenceSession(os.path.join(HUB, 'rf_detr', 'onnx', 'model.onnx'))
for file, rows in expected['detections'].items():
    image = Image.open(os.path.join(HUB, file))
    logits, boxes = session.run(['logits', 'pred_boxes'], {'pixel_values': preprocess_to_nchw(image, 56, 56, 3)})
    found = decode_detections(boxes[0], logits[0], image.size, threshold=0, num_select=logits[0].size, background_class_id=None)
    far = 0
    for row in rows:
        off = np.abs(found.confidence - row['score'])
        off = np.maximum(off, np.abs(found.xyxy - np.array(row['box'])).max(1) / max(image.size))
        far = max(far, off.min())
    print(file, len(rows), 'rows, at most', far, 'off')
    assert far < 1e-4
