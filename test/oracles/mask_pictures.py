"""Writes test/fixtures/mask-pictures.json: masks as pictures, and their parts as scipy finds them.

    python3 -m venv ENV && ENV/bin/pip install numpy pillow scipy
    ENV/bin/python test/oracles/mask_pictures.py

`parts`: class, box (x1, y1, x2, y2) and pixels of each, by scipy.ndimage.label (sides of pixels), or by the colours of
SegmentationObject. Made with numpy 2.2.6, Pillow 12.3, scipy 1.17.1.
"""
import base64, io, json, os
import numpy as np
from PIL import Image
from scipy import ndimage

OUT = os.path.join(os.path.dirname(__file__), '..', 'fixtures', 'mask-pictures.json')
H, W = 48, 64
rng = np.random.default_rng(5)
index = np.zeros((H, W), 'u1')
for value in (1, 2, 1, 2, 1, 1):
    y, x = rng.integers(0, H - 14), rng.integers(0, W - 14)
    index[y:y + rng.integers(4, 14), x:x + rng.integers(4, 14)] = value
index[10:30, 20:22] = 0
index[40, 40], index[41, 41] = 1, 1


def parts(names, instances=None):
    found = []
    for value, name in names.items():
        if instances is None:
            labels, count = ndimage.label(index == value)
            groups = [labels == i + 1 for i in range(count)]
        else:
            groups = [(index == value) & (instances == i) for i in np.unique(instances[index == value])]
        for group in groups:
            ys, xs = np.nonzero(group)
            found.append([name, [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1], int(group.sum())])
    return sorted(found)


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, 'PNG')
    return base64.b64encode(buffer.getvalue()).decode()


def painted(values, colours):
    return Image.fromarray(np.array(colours, 'u1')[values])


def palettised(values, colours):
    image = Image.fromarray(values)
    image.putpalette(np.array(colours, 'u1').reshape(-1).tolist())
    return image


VOC = [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
OWN = [[0, 0, 0], [250, 50, 83], [51, 221, 255]]
LABELMAP = '# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:250,50,83::\ndog:51,221,255::\n'
instances = np.where(index > 0, (np.arange(W)[None, :] // 20) + 1, 0).astype('u1')
cat_dog = parts({1: 'cat', 2: 'dog'})
binary = np.where(index > 0, 255, 0).astype('u1')
cases = [
    {'what': 'CVAT: colours of labelmap.txt, objects by connected part', 'text': {'labelmap.txt': LABELMAP},
     'pictures': {'SegmentationClass/a.png': png(painted(index, OWN))}, 'parts': cat_dog},
    {'what': 'CVAT: objects by the colours of SegmentationObject', 'text': {'labelmap.txt': LABELMAP},
     'pictures': {'SegmentationClass/a.png': png(painted(index, OWN)),
                  'SegmentationObject/a.png': png(painted(instances, [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]))},
     'parts': parts({1: 'cat', 2: 'dog'}, instances)},
    {'what': "VOC's own colours, in a palette", 'text': {},
     'pictures': {'SegmentationClass/a.png': png(palettised(index, VOC))}, 'parts': parts({1: 'aeroplane', 2: 'bicycle'})},
    {'what': 'numbers of a palette, and classes.txt', 'text': {'classes.txt': 'cat\ndog\n'},
     'pictures': {'masks/a.png': png(palettised(index, [[1, 2, 3], [9, 9, 9], [7, 8, 9]]))}, 'parts': cat_dog},
    {'what': 'greys, and classes.txt with the background', 'text': {'classes.txt': 'background\ncat\ndog\n'},
     'pictures': {'masks/a.png': png(Image.fromarray(index))}, 'parts': cat_dog},
]
deep = np.array([0, 300, 2])[index].astype('u2')
cases.append({'what': 'greys of 16 bits, and classes.txt', 'text': {'classes.txt': 'background\nx\ndog\n' + 'y\n' * 297 + 'cat\n'},
              'pictures': {'masks/a.png': png(Image.fromarray(deep))}, 'parts': cat_dog})

# Cityscapes: ids of helpers/labels.py; 7 road, 26 car, 24 person, 3 out of roi.
streets = np.zeros((H, W), 'u1')
streets[30:] = 7
streets[5:12, 4:20], streets[8:14, 30:34], streets[20:25, 4:9] = 26, 24, 26
streets[:2] = 3
ids = streets.astype('u2')
ids[5:12, 4:12], ids[5:12, 12:20], ids[8:14, 30:34] = 26000, 26001, 24000


def of_values(values, names):
    found = []
    for value, name in names.items():
        ys, xs = np.nonzero(values == value)
        found.append([name, [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1], int(xs.size)])
    return found


first, index = index, streets
cityscapes = {
    'labelIds': {'picture': png(Image.fromarray(streets)), 'parts': sorted(of_values(streets, {7: 'road'}) + parts({26: 'car', 24: 'person'}))},
    'instanceIds': {'picture': png(Image.fromarray(ids)), 'crowd': 'car', 'parts': sorted(of_values(ids, {7: 'road', 26: 'car', 26000: 'car', 26001: 'car', 24000: 'person'}))},
}
index = (first > 0).astype('u1')
cases.append({'what': 'black and white of one class', 'text': {'classes.txt': 'cat\n'},
              'pictures': {'masks/a.png': png(Image.fromarray(binary))}, 'parts': parts({1: 'cat'})})
json.dump({'width': W, 'height': H, 'cases': cases, 'cityscapes': cityscapes}, open(OUT, 'w'), indent=1)
