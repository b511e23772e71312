"""Writes test/fixtures/hub/opencv.json: SHA-256 of what OpenCV's resize makes of made-up pictures with INTER_LINEAR, a row a size,
and of what YOLOX's `preproc` (yolox/data/data_augment.py, Apache-2.0; its five lines are written out here) makes of them.

    ENV/bin/pip install opencv-python-headless
    ENV/bin/python test/oracles/opencv_resize.py

The pictures are made by the same arithmetic in src/images/pillow/opencv-resize.test.ts. Made with OpenCV 4.14.
"""
import hashlib, json, os
import cv2
import numpy as np

OUT = os.path.join(os.path.dirname(__file__), '..', 'fixtures', 'hub')


def picture(width, height):
    i = np.arange(width * height * 3, dtype=np.int64)
    return ((i * 7919 + (i // 3 // width) * 104729 + (i * i) % 251) % 256).astype('u1').reshape(height, width, 3)


def preproc(image, size):
    padded = np.ones((size[0], size[1], 3), dtype=np.uint8) * 114
    r = min(size[0] / image.shape[0], size[1] / image.shape[1])
    resized = cv2.resize(image, (int(image.shape[1] * r), int(image.shape[0] * r)), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    padded[:int(image.shape[0] * r), :int(image.shape[1] * r)] = resized
    return padded, r


def row(kind, image, to, out, **more):
    return {'kind': kind, 'from': [image.shape[1], image.shape[0]], 'to': list(to),
            'sha256': hashlib.sha256(out.tobytes()).hexdigest(), 'first': out.reshape(-1)[:6].tolist(), **more}


# Smaller and larger, by whole numbers and not, exact halves, one pixel.
RESIZED = [((64, 48), (32, 32)), ((64, 48), (31, 17)), ((64, 48), (32, 24)), ((50, 70), (224, 97)), ((300, 11), (7, 11)),
           ((40, 40), (40, 13)), ((3, 5), (2, 64)), ((640, 427), (224, 149)), ((1, 1), (9, 4)), ((120, 187), (64, 48)),
           ((641, 427), (416, 277)), ((96, 96), (32, 32))]
# Width and height of the input.
LETTERBOXED = [((640, 427), (416, 416)), ((427, 640), (416, 416)), ((333, 500), (416, 416)), ((50, 30), (96, 96)), ((640, 480), (320, 256)),
               ((1000, 667), (640, 640))]
rows = []
for size, to in RESIZED:
    image = picture(*size)
    rows.append(row('resize', image, to, cv2.resize(image, to, interpolation=cv2.INTER_LINEAR)))
for size, to in LETTERBOXED:
    image = picture(*size)
    out, ratio = preproc(image, (to[1], to[0]))
    rows.append(row('letterbox', image, to, out, scale=ratio))
with open(os.path.join(OUT, 'opencv.json'), 'w') as f:
    f.write('[\n' + ',\n'.join('  ' + json.dumps(r) for r in rows) + '\n]\n')
