"""Writes test/fixtures/hub: small networks with random weights in the layout of the hub's ONNX repositories, and what Python's
transformers makes of the same pictures and texts with them.

    python3 -m venv ENV && ENV/bin/pip install torch torchvision transformers onnx pillow tokenizers timm scipy
    ENV/bin/python test/oracles/hub_models.py [FAMILY...]

A folder a family: config.json, preprocessor_config.json, the tokenizer's files, onnx/*.onnx, expected.json. Values are named as
Optimum's exports name them. Made with transformers 5.24, torch 2.15, Pillow 13.0, tokenizers 0.23.
"""
import json, os, sys, warnings
import numpy as np
import torch
from PIL import Image
import transformers as tf

warnings.filterwarnings('ignore')
OUT = os.path.join(os.path.dirname(__file__), '..', 'fixtures', 'hub')
PICTURES = ['landscape.jpg', 'portrait.jpg']
TEXTS = ['a red car at night', 'A Photo of a CAT!', 'kü çınar', 'x']


def pictures():
    rng = np.random.default_rng(3)
    for name, (w, h) in zip(PICTURES, [(201, 133), (120, 187)]):
        y, x = np.mgrid[0:h, 0:w]
        rgb = np.stack([x * 255 / w, y * 255 / h, 128 + 100 * np.sin(x / 7) * np.cos(y / 11)], -1)
        rgb[h // 4:h // 2, w // 3:w // 2] = [220, 40, 30]
        rgb += rng.normal(0, 12, rgb.shape)
        Image.fromarray(rgb.clip(0, 255).astype('u1')).save(os.path.join(OUT, name), quality=88)


def opened():
    return [Image.open(os.path.join(OUT, name)).convert('RGB') for name in PICTURES]


def lively(model, seed, scale=0.15):
    """Weights large enough that a wrong pixel shows."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                p.copy_(torch.randn(p.shape, generator=g) * min(scale, 1.5 / np.sqrt(p[0].numel())))
            else:
                p.add_(torch.randn(p.shape, generator=g) * 0.1)
    return model.eval()


class Named(torch.nn.Module):
    def __init__(self, model, inputs, outputs):
        super().__init__()
        self.model, self.inputs, self.outputs = model, inputs, outputs

    def forward(self, *values):
        result = self.model(**dict(zip(self.inputs, values)))
        return tuple(getattr(result, name) for name in self.outputs)


def export(folder, name, model, feeds, outputs, open_axes, opset=17):
    path = os.path.join(folder, 'onnx', name + '.onnx')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.onnx.export(Named(model, list(feeds), outputs).eval(), tuple(feeds.values()), path, input_names=list(feeds),
                      output_names=outputs, dynamic_axes=open_axes, opset_version=opset, dynamo=False)
    shorten(path)
    print(path, os.path.getsize(path))


def shorten(path):
    """Names of inner values take more room than the weights here."""
    import onnx
    model = onnx.load(path)
    kept = {v.name for v in [*model.graph.input, *model.graph.output]} | {''}
    names = {}

    def short(name):
        return name if name in kept else names.setdefault(name, f'v{len(names)}')

    def walk(graph):
        for one in graph.initializer:
            one.name = short(one.name)
            one.doc_string = ''
        del graph.value_info[:]
        for node in graph.node:
            node.name = node.doc_string = ''
            for side in (node.input, node.output):
                for i, name in enumerate(side):
                    side[i] = short(name)
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    walk(attribute.g)
                    for v in [*attribute.g.input, *attribute.g.output]:
                        v.name = short(v.name)

    walk(model.graph)
    onnx.save(model, path)


def write(folder, name, value):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'w') as f:
        json.dump(value, f, ensure_ascii=False)
        f.write('\n')


def numbers(tensor, digits=7):
    return [float(f'{v:.{digits}g}') for v in tensor.detach().flatten().tolist()]


def processor_config(folder, processor):
    config = json.loads(processor.to_json_string())
    write(folder, 'preprocessor_config.json', config)


def embedder(name, model, config, processor, output, vector, more=None):
    """One image graph; `vector` from the model's result to [n, dimensions]."""
    folder = os.path.join(OUT, name)
    write(folder, 'config.json', json.loads(config.to_json_string(use_diff=False)))
    processor_config(folder, processor)
    pixels = processor(images=opened()[:1], return_tensors='pt').pixel_values
    export(folder, 'model', model, {'pixel_values': pixels}, output, {'pixel_values': {0: 'batch_size'}})
    rows = [numbers(vector(model(**processor(images=[i], return_tensors='pt')))) for i in opened()]
    write(folder, 'expected.json', {'embeddings': dict(zip(PICTURES, rows)), **(more or {})})


def slim(config):
    """Without what transformers fills in and nobody reads."""
    keep = ('model_type hidden_size projection_dim image_size patch_size vision_config text_config max_position_embeddings '
            'id2label pad_token_id eos_token_id').split()
    return {k: slim(v) if k.endswith('_config') else v for k, v in config.items() if k in keep}


def pair(name, vision, text, config, processor, tokenizer, outputs, fill):
    folder = os.path.join(OUT, name)
    write(folder, 'config.json', slim(json.loads(config.to_json_string(use_diff=False))))
    processor_config(folder, processor)
    tokenizer.save_pretrained(folder)
    pixels = processor(images=opened()[:1], return_tensors='pt').pixel_values
    export(folder, 'vision_model', vision, {'pixel_values': pixels}, outputs[:1], {'pixel_values': {0: 'batch_size'}})
    ids = tokenizer(TEXTS[:1], return_tensors='pt', **fill).input_ids
    axes = {'input_ids': {0: 'batch_size', 1: 'sequence_length'}}
    export(folder, 'text_model', text, {'input_ids': ids}, outputs[1:], axes)
    images = [numbers(getattr(vision(**processor(images=[i], return_tensors='pt')), outputs[0])) for i in opened()]
    tokens = [tokenizer([t], **fill).input_ids[0] for t in TEXTS]
    texts = []
    for row in tokens:
        vector = getattr(text(input_ids=torch.tensor([row])), outputs[1])[0]
        texts.append(numbers(vector / vector.norm()))
    write(folder, 'expected.json', {'embeddings': dict(zip(PICTURES, images)), 'tokens': dict(zip(TEXTS, tokens)),
                                    'texts': dict(zip(TEXTS, texts))})


CORPUS = (TEXTS + ['the quick brown fox jumps over the lazy dog', 'a photo of a dog', 'many cars', 'a bad photo of the cat',
                   'ein Foto eines Autos', 'красная машина ночью', '一辆红色的车', 'una foto di un gatto', '夜の赤い車']) * 4


def clip_tokenizer():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers, Regex
    import transformers.models.clip.tokenization_clip as source
    blank = tf.CLIPTokenizer()
    backend = blank.backend_tokenizer
    t = Tokenizer(models.BPE(end_of_word_suffix='</w>', unk_token='<|endoftext|>', continuing_subword_prefix=''))
    t.normalizer, t.pre_tokenizer = backend.normalizer, backend.pre_tokenizer
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=560, end_of_word_suffix='</w>', special_tokens=[],
                          initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    state = json.loads(t.to_str())['model']
    vocab = dict(state['vocab'])
    for c in pre_tokenizers.ByteLevel.alphabet():
        vocab.setdefault(c + '</w>', len(vocab))
    for special in ['<|startoftext|>', '<|endoftext|>']:
        vocab[special] = len(vocab)
    merges = [tuple(m) for m in state['merges']]
    return tf.CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=24)


def gemma_tokenizer():
    """SigLIP2's form: pieces of SentencePiece with bytes for what is not known; an end token, filled up to its length."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers, processors, decoders
    t = Tokenizer(models.BPE(unk_token='<unk>', fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Replace(' ', '▁')
    t.pre_tokenizer = pre_tokenizers.Split(' ', 'merged_with_previous')
    special = ['<pad>', '<eos>', '<bos>', '<unk>'] + [f'<0x{i:02X}>' for i in range(256)]
    t.train_from_iterator([c.lower() for c in CORPUS], trainers.BpeTrainer(vocab_size=560, special_tokens=special, show_progress=False))
    state = json.loads(t.to_str())
    # The bytes are words of the vocabulary, not special tokens.
    state['added_tokens'] = [a for a in state['added_tokens'] if a['id'] < 4]
    state['decoder'] = json.loads(json.dumps({'type': 'Sequence', 'decoders': [
        {'type': 'Replace', 'pattern': {'String': '▁'}, 'content': ' '}, {'type': 'ByteFallback'}, {'type': 'Fuse'}]}))
    state['post_processor'] = {'type': 'TemplateProcessing', 'single': [{'Sequence': {'id': 'A', 'type_id': 0}},
        {'SpecialToken': {'id': '<eos>', 'type_id': 0}}], 'pair': [{'Sequence': {'id': 'A', 'type_id': 0}},
        {'Sequence': {'id': 'B', 'type_id': 0}}], 'special_tokens': {'<eos>': {'id': '<eos>', 'ids': [1], 'tokens': ['<eos>']}}}
    backend = Tokenizer.from_str(json.dumps(state))
    return tf.PreTrainedTokenizerFast(tokenizer_object=backend, pad_token='<pad>', eos_token='<eos>', bos_token='<bos>',
                                      unk_token='<unk>', model_max_length=16, padding_side='right')


SIZE = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2)


def clip():
    tokenizer = clip_tokenizer()
    ids = len(tokenizer)
    config = tf.CLIPConfig(projection_dim=16,
        text_config=dict(vocab_size=ids, max_position_embeddings=24, projection_dim=16, bos_token_id=ids - 2,
                         eos_token_id=ids - 1, pad_token_id=ids - 1, **SIZE),
        vision_config=dict(image_size=48, patch_size=16, projection_dim=16, **SIZE))
    vision = lively(tf.CLIPVisionModelWithProjection(config.vision_config), 1)
    text = lively(tf.CLIPTextModelWithProjection(config.text_config), 2)
    processor = tf.CLIPImageProcessorPil(size={'shortest_edge': 48}, crop_size={'height': 48, 'width': 48})
    pair('clip', vision, text, config, processor, tokenizer, ['image_embeds', 'text_embeds'], dict(truncation=True))


def siglip2():
    tokenizer = gemma_tokenizer()
    config = tf.SiglipConfig(
        text_config=dict(vocab_size=len(tokenizer), max_position_embeddings=16, projection_size=32, pad_token_id=0, **SIZE),
        vision_config=dict(image_size=32, patch_size=8, **SIZE))
    vision = lively(tf.SiglipVisionModel(config.vision_config), 3)
    text = lively(tf.SiglipTextModel(config.text_config), 4)
    processor = tf.SiglipImageProcessorPil(size={'height': 32, 'width': 32})
    lower = lambda texts, **o: tokenizer([t.lower() for t in texts], **o)
    lower.save_pretrained = tokenizer.save_pretrained
    pair('siglip2', vision, text, config, processor, lower, ['pooler_output', 'pooler_output'],
         dict(padding='max_length', max_length=16, truncation=True))


def dinov2():
    config = tf.Dinov2Config(image_size=42, patch_size=14, mlp_ratio=2, **{k: v for k, v in SIZE.items() if k != 'intermediate_size'})
    model = lively(tf.Dinov2Model(config), 5)
    processor = tf.BitImageProcessorPil(size={'shortest_edge': 48}, crop_size={'height': 42, 'width': 42}, resample=3,
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
    embedder('dinov2', model, config, processor, ['last_hidden_state', 'pooler_output'], lambda r: r.last_hidden_state[:, 0])


def vit():
    config = tf.ViTConfig(image_size=32, patch_size=8, **SIZE)
    model = lively(tf.ViTModel(config, add_pooling_layer=False), 6)
    processor = tf.ViTImageProcessorPil(size={'height': 32, 'width': 32})
    embedder('vit', model, config, processor, ['last_hidden_state'], lambda r: r.last_hidden_state[:, 0])


def convnext():
    config = tf.ConvNextConfig(hidden_sizes=[8, 12, 16, 24], depths=[1, 1, 1, 1], image_size=64)
    model = lively(tf.ConvNextModel(config), 7)
    processor = tf.ConvNextImageProcessorPil(size={'shortest_edge': 64})
    embedder('convnext', model, config, processor, ['last_hidden_state', 'pooler_output'], lambda r: r.pooler_output)


def resnet():
    config = tf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1], layer_type='basic')
    config.id2label = {i: f'thing {i}' for i in range(5)}
    model = lively(tf.ResNetForImageClassification(config), 8)
    processor = tf.ConvNextImageProcessorPil(size={'shortest_edge': 64}, crop_pct=0.875)
    embedder('resnet', model, config, processor, ['logits'],
             lambda r: model.resnet(**processor(images=[r_image.pop(0)], return_tensors='pt')).pooler_output.flatten(1))


r_image = []


def swin():
    config = tf.SwinConfig(image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4, mlp_ratio=2)
    model = lively(tf.SwinModel(config), 9)
    processor = tf.ViTImageProcessorPil(size={'height': 32, 'width': 32}, resample=3,
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
    embedder('swin', model, config, processor, ['last_hidden_state', 'pooler_output'], lambda r: r.pooler_output)


def detector(name, model, config, processor, threshold, more_axes={}):
    pixels_of = lambda image: processor(images=[image], return_tensors='pt').pixel_values
    folder = os.path.join(OUT, name)
    write(folder, 'config.json', {'model_type': config.model_type, 'id2label': config.id2label})
    processor_config(folder, processor)
    feeds = {'pixel_values': pixels_of(opened()[0])}
    export(folder, 'model', model, feeds, ['logits', 'pred_boxes'], {'pixel_values': {0: 'batch_size', **more_axes}})
    rows = {}
    import onnxruntime
    session = onnxruntime.InferenceSession(os.path.join(folder, 'onnx', 'model.onnx'))
    for file, image in zip(PICTURES, opened()):
        pixels = pixels_of(image)
        with torch.no_grad():
            result = model(pixel_values=pixels)
        # Of random networks many queries are nearly alike; a seed is taken with which rounding does not choose others.
        boxes = session.run(['pred_boxes'], {'pixel_values': pixels.numpy()})[0]
        assert np.abs(boxes - result.pred_boxes.numpy()).max() < 1e-5, 'take another seed'
        found = processor.post_process_object_detection(result, threshold=threshold,
                                                        target_sizes=torch.tensor([image.size[::-1]]))[0]
        rows[file] = [{'score': float(s), 'class': int(c), 'box': numbers(b)}
                      for s, c, b in zip(found['scores'], found['labels'], found['boxes'])]
    write(folder, 'expected.json', {'threshold': threshold, 'detections': rows})


def coco_like():
    return {i: name for i, name in enumerate(['person', 'motorbike', 'tvmonitor', 'bird', 'cat'])}


def rt_detr_v2():
    detector('rt_detr_v2', *rt(tf.RTDetrV2Config, tf.RTDetrV2ForObjectDetection, 21), 0.05)


def d_fine():
    detector('d_fine', *rt(tf.DFineConfig, tf.DFineForObjectDetection, 12, hgnet=True), 0.05)


def rt(Config, Model, seed, hgnet=False):
    if hgnet:
        backbone = tf.HGNetV2Config(stem_channels=[3, 8, 8], stage_in_channels=[8, 8, 12, 12], stage_mid_channels=[4, 4, 4, 4],
            stage_out_channels=[8, 12, 12, 16], stage_num_blocks=[1, 1, 1, 1], stage_numb_of_layers=[1, 1, 1, 1],
            hidden_sizes=[8, 12, 12, 16], out_features=['stage2', 'stage3', 'stage4'], out_indices=[2, 3, 4])
        sizes = [12, 12, 16]
    else:
        backbone = tf.RTDetrResNetConfig(embedding_size=8, hidden_sizes=[8, 12, 12, 16], depths=[1, 1, 1, 1], layer_type='basic',
                                         out_features=['stage2', 'stage3', 'stage4'])
        sizes = [12, 12, 16]
    config = Config(backbone_config=backbone, encoder_in_channels=sizes, encoder_hidden_dim=16, encoder_ffn_dim=16,
        encoder_attention_heads=2, d_model=16, decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16, decoder_attention_heads=2,
        num_queries=12, decoder_layers=2, decoder_n_points=2 if not hgnet else [2, 2, 2], anchor_image_size=None, eval_size=None,
        num_denoising=0, hidden_expansion=0.5, activation_function='relu', feat_strides=[8, 16, 32])
    config.id2label = coco_like()
    config.label2id = {v: k for k, v in config.id2label.items()}
    processor = tf.RTDetrImageProcessorPil(size={'height': 64, 'width': 64})
    return lively(Model(config), seed), config, processor


def yolos():
    config = tf.YolosConfig(image_size=[48, 64], patch_size=16, num_detection_tokens=6, use_mid_position_embeddings=False, **SIZE)
    config.id2label = coco_like()
    model = lively(tf.YolosForObjectDetection(config), 13)
    processor = tf.YolosImageProcessorPil(size={'height': 48, 'width': 64}, do_pad=False)
    detector('yolos', model, config, processor, 0.05)


def yolos_open():
    """Sides open, cut to whole patches, as the published ones' processors do it."""
    config = tf.YolosConfig(image_size=[48, 64], patch_size=16, num_detection_tokens=6, use_mid_position_embeddings=True, **SIZE)
    config.id2label = coco_like()
    model = lively(tf.YolosForObjectDetection(config), 14)
    processor = tf.YolosImageProcessorPil(size={'shortest_edge': 72, 'longest_edge': 110})
    detector('yolos_open', model, config, processor, 0.05, {2: 'height', 3: 'width'})


def detr():
    """Sides open, and a mask of 64 × 64 beside the image, as the hub's exports have it."""
    folder = os.path.join(OUT, 'detr')
    backbone = tf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1], layer_type='basic', out_features=['stage4'])
    config = tf.DetrConfig(backbone_config=backbone, use_timm_backbone=False, use_pretrained_backbone=False, d_model=16, num_queries=8,
                           encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
                           decoder_ffn_dim=16)
    config.id2label = coco_like()
    config.label2id = {v: k for k, v in config.id2label.items()}
    model = lively(tf.DetrForObjectDetection(config), 81)
    processor = tf.DetrImageProcessorPil(size={'shortest_edge': 96, 'longest_edge': 140})
    processor_config(folder, processor)

    def expected_of(image):
        pixels = processor(images=[image], return_tensors='pt').pixel_values
        given = {'pixel_values': pixels, 'pixel_mask': torch.ones(1, 64, 64, dtype=torch.int64)}
        with torch.no_grad():
            result = model(**given)
        found = processor.post_process_object_detection(result, threshold=0.05, target_sizes=torch.tensor([image.size[::-1]]))[0]
        return given, result, [{'score': float(s), 'class': int(c), 'box': numbers(b)}
                               for s, c, b in zip(found['scores'], found['labels'], found['boxes'])]

    axes = {'pixel_values': {0: 'batch_size', 2: 'height', 3: 'width'}, 'pixel_mask': {0: 'batch_size'}}
    word_detector(folder, expected_of, model, ['logits', 'pred_boxes'], axes, 0.05, config)
    expected = os.path.join(folder, 'expected.json')
    rows = json.load(open(expected))
    del rows['words']
    write(folder, 'expected.json', rows)
    write(folder, 'config.json', {'model_type': config.model_type, 'id2label': config.id2label})


def rf_detr():
    """Logits by COCO's own numbers up to 90, of a config that names its 80 classes one after the other."""
    backbone = tf.RfDetrDinov2Config(hidden_size=16, num_hidden_layers=4, num_attention_heads=2, mlp_ratio=2, image_size=56, patch_size=14,
                                     num_windows=2, out_features=['stage2', 'stage4'], out_indices=[2, 4])
    config = tf.RfDetrConfig(backbone_config=backbone, d_model=16, decoder_ffn_dim=16, decoder_layers=2, decoder_n_points=2, num_queries=12,
                             decoder_self_attention_heads=2, decoder_cross_attention_heads=2, group_detr=1, hidden_expansion=0.5,
                             c2f_num_blocks=1, num_labels=91)
    model = lively(tf.RfDetrForObjectDetection(config), 71)
    with torch.no_grad():
        model.class_embed.weight.mul_(6)
        model.class_embed.bias.sub_(model.class_embed.bias.mean() + 2)
    processor = tf.RfDetrImageProcessor(size={'height': 56, 'width': 56})
    # Tracing takes the way for other sizes, in an operator that ONNX has not; for this one size it changes nothing.
    embeddings = next(m for m in model.modules() if hasattr(m, 'interpolate_pos_encoding'))
    embeddings.interpolate_pos_encoding = lambda values, height, width: embeddings.position_embeddings
    names = coco_names()
    config.id2label = {i: name for i, (_, name) in enumerate(names)}
    by_id = {number: i for i, (number, _) in enumerate(names)}
    detector('rf_detr', model, config, processor, 0.05)
    path = os.path.join(OUT, 'rf_detr', 'expected.json')
    with open(path) as f:
        expected = json.load(f)
    for file, rows in expected['detections'].items():
        expected['detections'][file] = [{**row, 'class': by_id[row['class']]} for row in rows if row['class'] in by_id]
        print(file, len(rows), 'pairs,', len(expected['detections'][file]), 'of a class that COCO has')
    write(os.path.join(OUT, 'rf_detr'), 'expected.json', expected)


def coco_names():
    """The official numbers and names, from the table that the repo has of them."""
    import re
    with open(os.path.join(os.path.dirname(__file__), '..', '..', 'src', 'core', 'coco-classes.ts')) as f:
        return [(int(n), name) for n, name in re.findall(r"\[(\d+), '([^']+)'\]", f.read())]


WORDS = ['forklift', 'red car', 'cat']


def owl_tokenizer():
    """CLIP's, filled up to 16 with the id 0, which is a word of its own."""
    plain = clip_tokenizer()
    vocab = plain.get_vocab()
    filler = next(token for token, i in vocab.items() if i == 0)
    merges = json.loads(plain.backend_tokenizer.to_str())['model']['merges']
    return tf.CLIPTokenizer(vocab=vocab, merges=[tuple(m) for m in merges], model_max_length=16, pad_token=filler)


def word_detector(folder, expected_of, model, outputs, axes, threshold, config):
    write(folder, 'config.json', {'model_type': config.model_type})
    export(folder, 'model', model, expected_of(opened()[0])[0], outputs, axes)
    rows = {}
    import onnxruntime
    session = onnxruntime.InferenceSession(os.path.join(folder, 'onnx', 'model.onnx'))
    for file, image in zip(PICTURES, opened()):
        given, result, found = expected_of(image)
        names = [i.name for i in session.get_inputs()]
        boxes = session.run(['pred_boxes'], {n: given[n].numpy() for n in names})[0]
        off = np.abs(boxes - result.pred_boxes.numpy()).max()
        assert off < 1e-5, f'take another seed: {file} is {off} off'
        rows[file] = found
    write(folder, 'expected.json', {'words': WORDS, 'threshold': threshold, 'detections': rows})


def owlv2():
    folder = os.path.join(OUT, 'owlv2')
    tokenizer = owl_tokenizer()
    ids = len(tokenizer)
    config = tf.Owlv2Config(projection_dim=32,
        text_config=dict(vocab_size=ids, max_position_embeddings=16, bos_token_id=ids - 2, eos_token_id=ids - 1, pad_token_id=0, **SIZE),
        vision_config=dict(image_size=64, patch_size=16, **SIZE))
    model = lively(tf.Owlv2ForObjectDetection(config), 31)
    processor = tf.Owlv2ImageProcessorPil(size={'height': 64, 'width': 64})
    processor_config(folder, processor)
    tokenizer.save_pretrained(folder)
    texts = [f'a photo of a {word}' for word in WORDS]
    text = tokenizer(texts, padding='max_length', return_tensors='pt')

    def expected_of(image):
        pixels = processor(images=[image], return_tensors='pt').pixel_values.float()
        given = {'input_ids': text.input_ids, 'pixel_values': pixels, 'attention_mask': text.attention_mask}
        with torch.no_grad():
            result = model(**given)
        found = processor.post_process_object_detection(result, threshold=0.05, target_sizes=[image.size[::-1]])[0]
        return given, result, [{'score': float(s), 'class': int(c), 'box': numbers(b)}
                               for s, c, b in zip(found['scores'], found['labels'], found['boxes'])]

    axes = {'input_ids': {0: 'text_batch_size', 1: 'sequence_length'}, 'attention_mask': {0: 'text_batch_size', 1: 'sequence_length'},
            'pixel_values': {0: 'image_batch_size'}}
    word_detector(folder, expected_of, model, ['logits', 'pred_boxes', 'text_embeds', 'image_embeds'], axes, 0.05, config)


def bert_tokenizer():
    """Few words, but the numbers of BERT's own marks, which Grounding DINO knows by heart."""
    fixed = {'[PAD]': 0, '[UNK]': 100, '[CLS]': 101, '[SEP]': 102, '[MASK]': 103, '.': 1012, '?': 1029}
    letters = 'abcdefghijklmnopqrstuvwxyz-'
    words = ['red', 'car', 'cat', 'fork', '##lift', 'an'] + list(letters) + ['##' + c for c in letters]
    vocab = dict(fixed)
    free = (i for i in range(1030) if i not in fixed.values())
    for word in words:
        vocab[word] = next(free)
    for i in free:
        vocab[f'[unused{i}]'] = i
    return tf.BertTokenizer(vocab=dict(sorted(vocab.items(), key=lambda kv: kv[1])), model_max_length=512)


def phrase_masks(input_ids, special_tokens):
    """What `generate_masks_with_special_tokens_and_transfer_map` gives, in operators that ONNX has."""
    length = input_ids.shape[1]
    special = (input_ids.unsqueeze(-1) == special_tokens).any(-1)
    places = torch.arange(length, device=input_ids.device)
    before = torch.where(special.unsqueeze(1) & (places.unsqueeze(0) < places.unsqueeze(1)), places, -1).amax(-1)
    after = torch.where(special.unsqueeze(1) & (places.unsqueeze(0) >= places.unsqueeze(1)), places, length).amin(-1)
    valid = (after != 0) & (after != length - 1) & (after != length)
    same = (after.unsqueeze(2) == after.unsqueeze(1)) & valid.unsqueeze(1)
    eye = (places.unsqueeze(0) == places.unsqueeze(1)).unsqueeze(0)
    positions = torch.where(valid, places - before - 1, torch.zeros_like(before))
    return eye | same, positions.clamp(min=0)


def grounding_dino():
    from transformers.models.grounding_dino import modeling_grounding_dino as source
    folder = os.path.join(OUT, 'grounding_dino')
    tokenizer = bert_tokenizer()
    # Not Swin, which the published ones have: its export decides by the size of the one picture that it sees.
    backbone = tf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1], layer_type='basic',
                               out_features=['stage2', 'stage3', 'stage4'])
    text = tf.BertConfig(vocab_size=1030, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
                         max_position_embeddings=64)
    config = tf.GroundingDinoConfig(backbone_config=backbone, text_config=text, d_model=32, num_queries=12, encoder_layers=1,
        decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, encoder_n_points=2,
        decoder_n_points=2, num_feature_levels=4, disable_custom_kernels=True, max_text_len=256)
    model = lively(tf.GroundingDinoForObjectDetection(config), 41)
    processor = tf.GroundingDinoImageProcessorPil(size={'shortest_edge': 96, 'longest_edge': 140})
    processor_config(folder, processor)
    tokenizer.save_pretrained(folder)
    whole = tf.GroundingDinoProcessor(processor, tokenizer)
    reference = source.generate_masks_with_special_tokens_and_transfer_map

    def expected_of(image):
        given = dict(whole(images=[image], text=[WORDS], return_tensors='pt'))
        given['pixel_values'] = given['pixel_values'].float()
        for a, b in zip(reference(given['input_ids'], torch.tensor(source.SPECIAL_TOKENS)),
                        phrase_masks(given['input_ids'], torch.tensor(source.SPECIAL_TOKENS))):
            assert (a == b).all()
        with torch.no_grad():
            result = model(**given)
        tokens = tokenizer.convert_ids_to_tokens(given['input_ids'][0])
        names, spans, at = [], [], 1
        for word in WORDS:
            count = len(tokenizer(word, add_special_tokens=False).input_ids)
            spans.append((at, at + count))
            at += count + 1
        probabilities = result.logits[0].sigmoid()
        scores = torch.stack([probabilities[:, a:b].amax(1) for a, b in spans], 1)
        boxes = whole.post_process_grounded_object_detection(result, threshold=-1, text_threshold=0.0,
                                                             target_sizes=[image.size[::-1]])[0]
        # Where transformers' own best token is one of a name, its score and ours are the same number.
        inside = torch.zeros(probabilities.shape[1], dtype=bool)
        for a, b in spans:
            inside[a:b] = True
        best = probabilities.argmax(1)
        same = inside[best]
        assert torch.allclose(scores.amax(1)[same], boxes['scores'][same])
        print('queries whose best token is of a name:', int(same.sum()), 'of', len(same), tokens)
        found = [{'score': float(s.max()), 'class': int(s.argmax()), 'box': numbers(b)}
                 for s, b in zip(scores, boxes['boxes']) if s.max() > 0.05]
        return given, result, found

    exported = expected_of(opened()[0])[0]
    axes = {'input_ids': {0: 'batch_size', 1: 'sequence_length'}, 'attention_mask': {0: 'batch_size', 1: 'sequence_length'},
            'token_type_ids': {0: 'batch_size', 1: 'sequence_length'},
            'pixel_values': {0: 'batch_size', 2: 'height', 3: 'width'}, 'pixel_mask': {0: 'batch_size', 1: 'height', 2: 'width'}}
    print({k: v.shape for k, v in exported.items()})
    source.generate_masks_with_special_tokens_and_transfer_map = phrase_masks
    # What an export makes of these two is right for the one size that it sees.
    plain = torch.as_tensor
    torch.as_tensor = lambda rows, **k: (torch.stack([torch.stack([plain(v, **k) for v in row]) for row in rows])
                                         if isinstance(rows, list) and isinstance(rows[0], tuple) else plain(rows, **k))
    torch.linspace = lambda start, end, steps, dtype, device: torch.arange(steps, dtype=dtype, device=device) + start
    word_detector(folder, expected_of, model, ['logits', 'pred_boxes'], axes, 0.05, config)


BOXES = {'landscape.jpg': [[60.0, 30.0, 140.0, 90.5], [0.0, 0.0, 201.0, 133.0], [10.25, 70.5, 50.75, 120.0]],
         'portrait.jpg': [[30.5, 40.0, 80.0, 100.0], [5.0, 120.0, 119.5, 186.0]]}


class Encoder(torch.nn.Module):
    def __init__(self, model, values):
        super().__init__()
        self.model, self.values = model, values

    def forward(self, pixel_values):
        return tuple(self.values(self.model, pixel_values))


class PromptDecoder(torch.nn.Module):
    """With points that are none, as the hub's exports of SAM 2 have them beside boxes."""
    def __init__(self, model, decode, outputs):
        super().__init__()
        self.model, self.decode, self.outputs = model, decode, outputs

    def forward(self, *values):
        result = self.decode(self.model, *values)
        return tuple(getattr(result, name) for name in self.outputs)


def run_lengths(bits):
    """COCO's, of a mask column by column: how many are 0, then 1, and so on."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], bits.astype(int)]))) if len(bits) else []
    return np.diff(np.concatenate([[0], edges, [len(bits)]])).astype(int).tolist()


def segmenter(name, model, config, processor, pixels_of, boxes_of, values, value_names, decode, prompts, outputs, masks_of):
    folder = os.path.join(OUT, name)
    write(folder, 'config.json', {'model_type': config.model_type})
    processor_config(folder, processor)
    os.makedirs(os.path.join(folder, 'onnx'), exist_ok=True)
    first = opened()[0]
    with torch.no_grad():
        embedded = values(model, pixels_of(first))
    path = os.path.join(folder, 'onnx', 'vision_encoder.onnx')
    torch.onnx.export(Encoder(model, values).eval(), (pixels_of(first),), path, input_names=['pixel_values'], output_names=value_names,
                      dynamic_axes={'pixel_values': {0: 'batch_size'}}, opset_version=17, dynamo=False)
    shorten(path)
    feeds = {**prompts(boxes_of(first, BOXES[PICTURES[0]][:2])), **dict(zip(value_names, embedded))}
    axes = {n: {1: 'boxes'} for n in feeds if n.startswith('input_')}
    if 'input_points' in feeds:
        axes['input_points'][2] = axes['input_labels'][2] = 'points'
    path = os.path.join(folder, 'onnx', 'prompt_encoder_mask_decoder.onnx')
    torch.onnx.export(PromptDecoder(model, decode, outputs).eval(), tuple(feeds.values()), path, input_names=list(feeds),
                      output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
    shorten(path)
    rows = {}
    for file, image in zip(PICTURES, opened()):
        pixels = pixels_of(image)
        rows[file] = []
        for box in BOXES[file]:
            with torch.no_grad():
                result = model(pixel_values=pixels, input_boxes=boxes_of(image, [box]))
            scores = result.iou_scores[0, 0]
            best = int(scores.argmax())
            assert scores.numel() == 1 or scores.sort().values[-1] - scores.sort().values[-2] > 1e-4, 'take another seed'
            mask = masks_of(result.pred_masks, image)[0, best].numpy()
            rows[file].append({'box': box, 'score': float(scores[best]), 'logits': numbers(result.pred_masks[0, 0, best], 6),
                               'counts': run_lengths(mask.T.flatten())})
    write(folder, 'expected.json', {'masks': rows})
    for graph in ('vision_encoder', 'prompt_encoder_mask_decoder'):
        print(name, graph, os.path.getsize(os.path.join(folder, 'onnx', graph + '.onnx')))


def normalised(image, size, resample=Image.BILINEAR):
    """As Pillow makes it smaller; torchvision, which transformers has for this one alone, differs by one in 255 at most."""
    rgb = np.asarray(image.resize(size, resample), 'f4') / 255
    return torch.tensor((rgb - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).permute(2, 0, 1)[None].float()


def sam2():
    vision = dict(backbone_config=dict(model_type='sam2_hiera_det_model', hidden_size=8, num_attention_heads=1, image_size=[64, 64],
        blocks_per_stage=[1, 1, 2, 1], embed_dim_per_stage=[8, 16, 32, 64], num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[8, 4, 4, 4], global_attention_blocks=[3], window_positional_embedding_background_size=[4, 4],
        mlp_ratio=2.0),
        backbone_channel_list=[64, 32, 16, 8], backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]], fpn_hidden_size=32)
    config = tf.Sam2Config(vision_config=vision,
        prompt_encoder_config=dict(hidden_size=32, image_size=64, patch_size=16),
        mask_decoder_config=dict(hidden_size=32, mlp_dim=32, num_hidden_layers=1, num_attention_heads=2, iou_head_hidden_dim=16,
                                 iou_head_depth=2))
    model = lively(tf.Sam2Model(config), 51, 0.3)
    processor = tf.Sam2ImageProcessor(size={'height': 64, 'width': 64}, mask_size={'height': 16, 'width': 16})
    # `forward` fails where points are given and boxes too but one of them is empty; the hub's exports have this done inside.
    pixels_of = lambda image: normalised(image, (64, 64))
    ours, theirs = pixels_of(opened()[0]), processor(images=opened()[:1], return_tensors='pt').pixel_values
    assert (ours - theirs).abs().max() < 1.01 / 255 / 0.224, (ours - theirs).abs().max()

    def boxes_of(image, boxes):
        w, h = image.size
        return torch.tensor([boxes]) * torch.tensor([64 / w, 64 / h, 64 / w, 64 / h])

    def prompts(boxes):
        n = boxes.shape[1]
        return {'input_points': torch.zeros(1, n, 1, 2), 'input_labels': torch.full((1, n, 1), -10), 'input_boxes': boxes}

    def decode(model, points, labels, boxes, a, b, c):
        return model(image_embeddings=[a, b, c], input_points=points, input_labels=labels, input_boxes=boxes)

    segmenter('sam2', model, config, processor, pixels_of, boxes_of, lambda m, p: m.get_image_embeddings(p),
              ['image_embeddings.0', 'image_embeddings.1', 'image_embeddings.2'], decode, prompts,
              ['iou_scores', 'pred_masks', 'object_score_logits'],
              lambda masks, image: processor.post_process_masks([masks[0]], [image.size[::-1]])[0])


def sam():
    """SAM and SlimSAM, with a decoder that takes boxes, as few exports have it."""
    config = tf.SamConfig(
        vision_config=dict(hidden_size=16, output_channels=32, num_hidden_layers=2, num_attention_heads=2, image_size=64, patch_size=16,
                           window_size=2, global_attn_indexes=[1], mlp_dim=32, num_pos_feats=16),
        prompt_encoder_config=dict(hidden_size=32, image_size=64, patch_size=16, mask_input_channels=4),
        mask_decoder_config=dict(hidden_size=32, mlp_dim=32, num_hidden_layers=1, num_attention_heads=2, iou_head_hidden_dim=16,
                                 iou_head_depth=2))
    model = lively(tf.SamModel(config), 61, 0.3)
    processor = tf.SamImageProcessorPil(size={'longest_edge': 64}, pad_size={'height': 64, 'width': 64},
                                        mask_size={'longest_edge': 16}, mask_pad_size={'height': 16, 'width': 16})
    sizes = lambda image: processor(images=[image], return_tensors='pt')

    def boxes_of(image, boxes):
        (h, w), (nh, nw) = sizes(image)['original_sizes'][0].tolist(), sizes(image)['reshaped_input_sizes'][0].tolist()
        return torch.tensor([boxes]) * torch.tensor([nw / w, nh / h, nw / w, nh / h])

    def masks_of(masks, image):
        given = sizes(image)
        return processor.post_process_masks([masks[0]], given['original_sizes'], given['reshaped_input_sizes'])[0]

    segmenter('sam', model, config, processor, lambda image: sizes(image)['pixel_values'].float(), boxes_of,
              lambda m, p: (m.get_image_embeddings(p),), ['image_embeddings'],
              lambda m, boxes, seen: m(image_embeddings=seen, input_boxes=boxes), lambda boxes: {'input_boxes': boxes},
              ['iou_scores', 'pred_masks'], masks_of)


if __name__ == '__main__':
    os.makedirs(OUT, exist_ok=True)
    pictures()
    for name in sys.argv[1:] or ['clip', 'siglip2', 'dinov2', 'vit', 'convnext', 'resnet', 'swin', 'rt_detr_v2', 'd_fine', 'yolos', 'owlv2',
                                 'grounding_dino', 'sam2', 'sam', 'rf_detr', 'detr', 'yolos_open']:
        r_image[:] = opened()
        globals()[name]()
