"""Writes test/fixtures/datumaro-files.json: data sets as Datumaro writes them, and what Datumaro reads in exports of ours.

    python3 -m venv ENV && ENV/bin/pip install datumaro==1.13.12
    npm run -s build && ENV/bin/python test/oracles/datumaro_files.py

`rows` are `FILE CLASS x1 y1 x2 y2`, sorted, the file by its name without its ending. Pictures are left out: no reader needs them.
"""
import json, os, subprocess, tempfile
import datumaro as dm
import numpy as np
from datumaro.components.annotation import AnnotationType, Bbox
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, '..', 'fixtures', 'datumaro-files.json')
CLI = ['node', os.path.join(HERE, '..', '..', 'dist', 'cli', 'main.js')]
W, H = 64, 48
# x, y, width, height, class
BOXES = {'a': [(4, 6, 20, 10, 0), (30.5, 8.25, 12, 20.5, 1)], 'b': [(1, 1, 9, 9, 1)]}
SUBSETS = {'a': 'train', 'b': 'val'}
NAMES = ['cat', 'dog']


def picture(seed):
    return np.random.default_rng(seed).integers(0, 255, (H, W, 3), np.uint8)


def rows(dataset):
    names = [category.name for category in dataset.categories()[AnnotationType.label]]
    found = []
    for item in dataset:
        for box in item.annotations:
            if box.type == AnnotationType.bbox:
                edges = ' '.join(f'{round(edge, 2):g}' for edge in box.points)
                found.append(f'{os.path.basename(item.id)} {names[box.label]} {edges}')
    return sorted(found)


def texts(root):
    found = {}
    for folder, _, files in os.walk(root):
        for name in sorted(files):
            path = os.path.join(folder, name)
            is_picture = name.endswith(('.jpg', '.png'))
            if name.startswith('.'): continue
            found[os.path.relpath(path, root)] = '' if is_picture else open(path).read()
    return dict(sorted(found.items()))


def made():
    number = 0
    items = []
    for n, (name, boxes) in enumerate(BOXES.items()):
        annotations = []
        for x, y, w, h, label in boxes:
            number += 1
            annotations.append(Bbox(x, y, w, h, label=label, id=number, group=number))
        media = Image.from_numpy(picture(n), ext='.png')
        items.append(DatasetItem(id=name, subset=SUBSETS[name], media=media, annotations=annotations))
    return dm.Dataset.from_iterable(items, categories=NAMES)


def theirs(root):
    for theirs, ours in [('coco_instances', 'coco'), ('yolo', 'yolo'), ('yolo_ultralytics', 'yolo'), ('voc_detection', 'voc'), ('cvat', 'cvat')]:
        out = os.path.join(root, theirs)
        made().export(out, theirs, save_media=True)
        yield {'what': f'{theirs} as Datumaro writes it', 'format': ours, 'files': texts(out), 'rows': rows(dm.Dataset.import_from(out, theirs.removesuffix('_ultralytics')))}


def ours(root):
    from PIL import Image as Pillow
    os.makedirs(os.path.join(root, 'photos'))
    with open(os.path.join(root, 'labels.csv'), 'w') as csv:
        csv.write('file,class,x1,y1,x2,y2\n')
        for n, (name, boxes) in enumerate(BOXES.items()):
            Pillow.fromarray(picture(n)).save(os.path.join(root, 'photos', f'{name}.png'))
            for x, y, w, h, label in boxes:
                csv.write(f'{name}.png,{NAMES[label]},{x},{y},{x + w},{y + h}\n')
    run = lambda *args: subprocess.run([*CLI, '-q', '-w', os.path.join(root, 'w'), *args], cwd=root, check=True)
    run('add', 'photos')
    run('import', 'csv', 'labels.csv', '--as', 'human')
    for ours, theirs in [('coco', 'coco_instances'), ('yolo', 'yolo'), ('voc', 'voc_detection'), ('cvat', 'cvat')]:
        out = os.path.join(root, f'ours-{ours}')
        run('export', ours, out, '--images', 'copy')
        files = texts(out)
        if ours == 'coco':
            # Datumaro knows COCO by its place.
            os.makedirs(os.path.join(out, 'annotations'))
            os.rename(os.path.join(out, 'annotations.json'), os.path.join(out, 'annotations', 'instances_train.json'))
        read = dm.Dataset.import_from(out, theirs)
        yield {'what': f'our export to {ours} as Datumaro reads it', 'format': ours, 'files': files, 'rows': rows(read)}


with tempfile.TemporaryDirectory() as root:
    cases = [*theirs(root), *ours(root)]
with open(OUT, 'w') as file:
    json.dump({'width': W, 'height': H, 'cases': cases}, file, indent=1)
    file.write('\n')
for case in cases: print(case['what'], len(case['rows']))
