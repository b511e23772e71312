"""Writes test/fixtures/label-files.json: small label files, and what readers of others make of them.

    python3 -m venv ENV && ENV/bin/pip install numpy pycocotools supervision labelme pillow
    ENV/bin/python test/oracles/label_files.py

`boxes` are corners in pixels, sorted; `areas` the pixels of masks. Made with pycocotools 2.0.11 (masks of COCO, compressed
and not, polygons), supervision 0.31.2 (YOLO boxes, outlines, turned boxes; Pascal VOC; COCO), labelme 6.3.1 (masks of
shapes), Pillow 13.0 (the turns of EXIF), numpy.
"""
import base64, io, json, os, tempfile
import numpy as np
import supervision as sv
from PIL import Image, ImageOps
from pycocotools import mask as masks

OUT = os.path.join(os.path.dirname(__file__), '..', 'fixtures', 'label-files.json')
W, H = 64, 48
cases = []


def case(what, format, files, boxes, **more):
    rows = sorted([float(np.round(value, 3)) for value in box] for box in boxes)
    cases.append({'what': what, 'format': format, 'files': files, 'boxes': rows, **more})


def folder(files):
    root = tempfile.mkdtemp()
    for name, content in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if name.endswith('.jpg'):
            Image.new('RGB', (W, H)).save(path)
        else:
            open(path, 'w').write(content)
    return root


# YOLO by supervision.
def yolo(what, rows, obb=False, masked=False):
    files = {'data.yaml': 'names: [cat, dog]\ntrain: images\n', 'labels/a.txt': rows, 'images/a.jpg': ''}
    root = folder(files)
    found = sv.DetectionDataset.from_yolo(f'{root}/images', f'{root}/labels', f'{root}/data.yaml', is_obb=obb, force_masks=masked)
    [(_, _, detections)] = list(found)
    case(what, 'yolo', files, detections.xyxy)


yolo('YOLO boxes', '0 .5 .5 .25 .5\n1 0.1 0.2 0.05 0.1\n')
yolo('YOLO outlines', '1 .1 .1 .5 .1 .5 .75\n')
yolo('YOLO turned boxes', '0 .5 .25 .75 .5 .5 .75 .25 .5\n', obb=True)

# Pascal VOC by supervision, which counts from 0 as well.
voc = f'<annotation><filename>a.jpg</filename><size><width>{W}</width><height>{H}</height></size><object><name>cat</name><bndbox><xmin>11</xmin><ymin>6</ymin><xmax>40</xmax><ymax>30</ymax></bndbox></object></annotation>'
root = folder({'Annotations/a.xml': voc, 'JPEGImages/a.jpg': ''})
[(_, _, detections)] = list(sv.DetectionDataset.from_pascal_voc(f'{root}/JPEGImages', f'{root}/Annotations'))
case('Pascal VOC', 'voc', {'Annotations/a.xml': voc}, detections.xyxy)

# COCO: masks without boxes, compressed and not.
drawn = np.zeros((H, W), 'u1')
drawn[5:20, 10:31] = 1
drawn[9:12, 14:18] = 0
compressed = masks.encode(np.asfortranarray(drawn))
flat, runs, value = drawn.flatten(order='F'), [], 0
at = 0
while at < len(flat):
    end = at
    while end < len(flat) and flat[end] == value:
        end += 1
    runs.append(end - at)
    at, value = end, 1 - value
head = {'images': [{'id': 1, 'file_name': 'a.jpg', 'width': W, 'height': H}], 'categories': [{'id': 1, 'name': 'cat'}]}
for what, counts in [('compressed', compressed['counts'].decode()), ('uncompressed', runs)]:
    annotation = {'id': 1, 'image_id': 1, 'category_id': 1, 'iscrowd': 1, 'segmentation': {'size': [H, W], 'counts': counts}}
    x, y, w, h = masks.toBbox(compressed)
    case(f'COCO masks without a box, {what}', 'coco', {'c.json': json.dumps({**head, 'annotations': [annotation]})},
         [[x, y, x + w, y + h]], areas=[int(masks.area(compressed))])

# LabelMe: a mask is a picture of the part between its points, both inside.
part = drawn[5:20, 10:31].astype(bool)
buffer = io.BytesIO()
Image.fromarray(part).save(buffer, 'PNG')
shape = {'label': 'cat', 'points': [[10, 5], [30, 19]], 'shape_type': 'mask', 'mask': base64.b64encode(buffer.getvalue()).decode()}
circle = {'label': 'sun', 'points': [[40, 30], [43, 34]], 'shape_type': 'circle'}
try:
    from labelme.utils import shape_to_mask
    sun = shape_to_mask((H * 2, W * 2), [[40, 30], [43, 34]], 'circle')
    ys, xs = np.where(sun)
    assert abs(xs.min() - 35) <= 1 and abs(xs.max() - 45) <= 1 and abs(ys.min() - 25) <= 1 and abs(ys.max() - 35) <= 1
except ImportError:
    print('labelme has no shape_to_mask any more: the circle is by its radius alone')
labelme = {'version': '5.5.0', 'flags': {}, 'shapes': [shape, circle], 'imagePath': 'a.jpg', 'imageWidth': W, 'imageHeight': H}
case('LabelMe', 'labelme', {'a.json': json.dumps(labelme)}, [[10, 5, 31, 20], [35, 25, 45, 35]], areas=[int(drawn.sum())])

# EXIF by Pillow: where a box drawn on the stored pixels lies once the image is upright.
turns = []
for orientation in (5, 6, 7, 8):
    pixels = np.zeros((H, W), 'u1')
    pixels[20:30, 8:40] = 255
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, 'PNG', exif=exif)
    upright = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(buffer.getvalue()))))
    ys, xs = np.where(upright)
    turns.append({'orientation': orientation, 'stored': [8, 20, 40, 30],
                  'upright': [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]})

json.dump({'width': W, 'height': H, 'cases': cases, 'turns': turns}, open(OUT, 'w'), indent=1)
print(len(cases), 'cases')
