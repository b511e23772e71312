"""Random heads of detectors, and what their publishers' own formulas make of them, in numpy.

    pip install numpy
    python test/oracles/detector_heads.py

Writes test/fixtures/detector-heads.json for `src/models/detectors/heads.test.ts`. RetinaNet after NVIDIA's
`retinanet/box.py` (generate_anchors, decode, delta2box, nms), YOLOv4 after `postprocess_bbbox` in the README of the ONNX
model zoo. Where they count the last pixel of a box as inside (x2 = x1 + width − 1), one is added to x2 and y2 here.
"""
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).parent.parent / "fixtures" / "detector-heads.json"
THRESHOLD = 0.05
rng = np.random.default_rng(5)


def heads(shape, low=-1.0, high=1.0):
    return rng.uniform(low, high, shape).round(3)


def overlap(a, b):
    width = np.minimum(a[2], b[2]) - np.maximum(a[0], b[0])
    height = np.minimum(a[3], b[3]) - np.maximum(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def nms(found, limit):
    kept = []
    for one in sorted(found, key=lambda f: -f["score"]):
        rivals = [k for k in kept if k["label"] == one["label"]]
        if all(overlap(one["box"], k["box"]) <= limit for k in rivals):
            kept.append(one)
    return kept


def rounded(found):
    return [
        {"label": int(f["label"]), "score": round(float(f["score"]), 5), "box": [round(float(v), 3) for v in f["box"]]}
        for f in found
    ]


def retinanet(width=64, height=40, classes=3):
    scales = [4 * 2 ** (i / 3) for i in range(3)]
    ratios = [1.0, 2.0, 0.5]
    levels, found = [], []
    for stride in (16, 32):
        columns, rows = -(-width // stride), -(-height // stride)
        scores = np.where(rng.random((9, classes, rows, columns)) < 0.3, heads((9, classes, rows, columns), 0, 1), 0.0)
        deltas = heads((9, 4, rows, columns), -0.4, 0.4)
        levels.append({"stride": stride, "rows": rows, "columns": columns, "scores": scores.ravel().tolist(), "deltas": deltas.ravel().tolist()})
        anchors = []
        for scale in scales:
            for ratio in ratios:
                ws = np.sqrt(stride * stride / ratio)
                dwh = np.array([ws, ws * ratio])
                anchors.append(np.concatenate([0.5 * (stride - dwh * scale), 0.5 * (stride + dwh * scale)]))
        for a, c, y, x in np.argwhere(scores >= THRESHOLD):
            anchor = np.array([x, y, x, y]) * stride + anchors[a]
            wh = anchor[2:] - anchor[:2] + 1
            centre = anchor[:2] + 0.5 * wh
            d = deltas[a, :, y, x]
            middle, size = d[:2] * wh + centre, np.exp(d[2:]) * wh
            box = np.concatenate([middle - 0.5 * size, middle + 0.5 * size])
            found.append({"label": c, "score": scores[a, c, y, x], "box": box})
    return {"width": width, "height": height, "classes": classes, "scales": scales, "ratios": ratios, "levels": levels, "found": rounded(nms(found, 0.5))}


def yolov4(width=64, height=32, classes=3):
    levels, found = [], []
    for stride, reach, anchors in ((16, 1.2, [[12, 16], [19, 36], [40, 28]]), (32, 1.05, [[36, 75], [76, 55], [72, 46]])):
        rows, columns = height // stride, width // stride
        raw = heads((rows, columns, 3, 5 + classes))
        raw[..., 4:] = (raw[..., 4:] + 1) / 2
        raw = raw.round(3)
        levels.append({"stride": stride, "reach": reach, "anchors": anchors, "rows": rows, "columns": columns, "output": raw.ravel().tolist()})
        for y, x, a in np.ndindex(rows, columns, 3):
            values = raw[y, x, a]
            sigmoid = 1 / (1 + np.exp(-values[:2]))
            middle = (sigmoid * reach - 0.5 * (reach - 1) + [x, y]) * stride
            size = np.exp(values[2:4]) * anchors[a]
            box = np.concatenate([middle - size / 2, middle + size / 2])
            for c in range(classes):
                score = values[4] * values[5 + c]
                if score >= THRESHOLD:
                    found.append({"label": c, "score": score, "box": box})
    return {"width": width, "height": height, "classes": classes, "levels": levels, "found": rounded(nms(found, 0.45))}


OUT.write_text(json.dumps({"retinanet": retinanet(), "yolov4": yolov4()}) + "\n")
