"""Writes test/fixtures/hub/pillow.json: SHA-256 of what Pillow makes of made-up pictures, a row a size and filter.

    ENV/bin/python test/oracles/pillow_resize.py

The pictures are made by the same arithmetic in src/images/pillow/resample.test.ts. Made with Pillow 13.0.
"""
import hashlib, json, os
import numpy as np
from PIL import Image

OUT = os.path.join(os.path.dirname(__file__), '..', 'fixtures', 'hub')
os.makedirs(OUT, exist_ok=True)


def picture(width, height):
    i = np.arange(width * height * 3, dtype=np.int64)
    return ((i * 7919 + (i // 3 // width) * 104729 + (i * i) % 251) % 256).astype('u1').reshape(height, width, 3)


SIZES = [((64, 48), (32, 32)), ((64, 48), (31, 17)), ((50, 70), (224, 97)), ((300, 11), (7, 11)), ((40, 40), (40, 13)),
         ((3, 5), (2, 64)), ((640, 427), (224, 224)), ((1, 1), (9, 4)), ((120, 187), (64, 48)), ((64, 187), (31, 120)), ((64, 187), (31, 121)),
         ((30, 90), (60, 45))]
FILTERS = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos']
rows = []
for (w, h), (W, H) in SIZES:
    image = Image.fromarray(picture(w, h))
    for name in FILTERS:
        out = np.asarray(image.resize((W, H), resample=getattr(Image.Resampling, name.upper())))
        rows.append({'from': [w, h], 'to': [W, H], 'resample': name,
                     'sha256': hashlib.sha256(out.tobytes()).hexdigest(), 'first': out.reshape(-1)[:6].tolist()})
with open(os.path.join(OUT, 'pillow.json'), 'w') as f:
    f.write('[\n' + ',\n'.join('  ' + json.dumps(r) for r in rows) + '\n]\n')
