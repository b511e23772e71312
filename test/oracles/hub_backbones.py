"""More of test/fixtures/hub, as hub_models.py makes it: DINOv3, DeiT, EfficientNet, and timm's MobileNetV4 and PE-Core.

    ENV/bin/python test/oracles/hub_backbones.py [FAMILY...]

Made with transformers 5.24, timm 1.0.31, torch 2.15, torchvision 0.29, Pillow 13.0.
"""
import json, os, sys
import timm
import torch
import transformers as tf
from hub_models import OUT, PICTURES, SIZE, embedder, export, lively, numbers, opened, write


def dinov3():
    """Its processor is torchvision's alone, and makes images smaller in floats, with nothing rounded."""
    config = tf.DINOv3ViTConfig(image_size=32, patch_size=8, num_register_tokens=2, **SIZE)
    model = lively(tf.DINOv3ViTModel(config), 101)
    processor = tf.DINOv3ViTImageProcessor(size={'height': 32, 'width': 32})
    embedder('dinov3', model, config, processor, ['last_hidden_state', 'pooler_output'], lambda r: r.last_hidden_state[:, 0])


seen = []


def kept(module):
    """The input of a layer, each time that the model runs outside of an export."""
    module.register_forward_hook(lambda _, given, __: None if torch.jit.is_tracing() else seen.append(given[0].detach().clone()))


def deit():
    """A square whatever the sides, then its middle; colours as its processor takes them where the file is silent."""
    config = tf.DeiTConfig(image_size=32, patch_size=8, **SIZE)
    config.id2label = {i: f'thing {i}' for i in range(5)}
    model = lively(tf.DeiTForImageClassification(config), 102)
    processor = tf.DeiTImageProcessorPil(size={'height': 40, 'width': 40}, crop_size={'height': 32, 'width': 32})
    kept(model.classifier)
    embedder('deit', model, config, processor, ['logits'], lambda r: seen.pop())
    silent('deit', 'image_mean', 'image_std', 'resample')


def efficientnet():
    """Colours are divided by their deviation twice, and the nearest pixel is taken, as the published ones say."""
    config = tf.EfficientNetConfig(image_size=64, width_coefficient=0.25, depth_coefficient=1.0, hidden_dim=320, in_channels=[32, 16, 24],
        out_channels=[16, 24, 40], kernel_sizes=[3, 3, 5], strides=[1, 2, 2], expand_ratios=[1, 6, 6], num_block_repeats=[1, 1, 1],
        num_hidden_layers=3)
    config.id2label = {i: f'thing {i}' for i in range(5)}
    model = lively(tf.EfficientNetForImageClassification(config), 103, 1)
    processor = tf.EfficientNetImageProcessorPil(size={'height': 64, 'width': 64}, resample=0, image_mean=[0.485, 0.456, 0.406],
        image_std=[0.47853944, 0.4732864, 0.47434163], include_top=True, rescale_offset=True)
    kept(model.classifier)
    embedder('efficientnet', model, config, processor, ['logits'], lambda r: seen.pop())


def silent(name, *fields):
    """A file that leaves fields out, as old ones do."""
    folder = os.path.join(OUT, name)
    with open(os.path.join(folder, 'preprocessor_config.json')) as f:
        config = json.load(f)
    write(folder, 'preprocessor_config.json', {k: v for k, v in config.items() if k not in fields})


class Pooled(torch.nn.Module):
    """`TimmWrapperModel` of a network that is no registered one: what it gives is `forward_features` and `forward_head` of it."""
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        whole = self.model.forward_features(pixel_values)
        return type('Result', (), {'last_hidden_state': whole, 'pooler_output': self.model.forward_head(whole)})()


def wrapped(name, architecture, model, cfg):
    model = Pooled(model).eval()
    folder = os.path.join(OUT, name)
    write(folder, 'config.json', {'model_type': 'timm_wrapper', 'architecture': architecture, 'num_classes': 0, 'pretrained_cfg': cfg})
    processor = tf.TimmWrapperImageProcessor(pretrained_cfg=cfg)
    given = lambda image: processor(images=[image], return_tensors='pt').pixel_values
    export(folder, 'model', model, {'pixel_values': given(opened()[0])}, ['last_hidden_state', 'pooler_output'],
           {'pixel_values': {0: 'batch_size'}})
    with torch.no_grad():
        rows = [numbers(model(given(image)).pooler_output) for image in opened()]
    write(folder, 'expected.json', {'embeddings': dict(zip(PICTURES, rows))})


def mobilenetv4():
    from timm.layers import BatchNormAct2d
    from timm.models.mobilenetv3 import _gen_mobilenet_v4
    model = _gen_mobilenet_v4('mobilenetv4_conv_small', 0.1, num_classes=0)
    # Its last layers are the largest, whatever the channels before them.
    model.conv_head = torch.nn.Conv2d(model.conv_head.in_channels, 48, 1, bias=False)
    model.norm_head = BatchNormAct2d(48, act_layer=torch.nn.ReLU)
    cfg = {'input_size': [3, 64, 64], 'interpolation': 'bicubic', 'crop_pct': 0.95, 'mean': [0.485, 0.456, 0.406],
           'std': [0.229, 0.224, 0.225], 'fixed_input_size': False, 'tag': 'e2400_r224_in1k', 'test_input_size': [3, 72, 72]}
    wrapped('mobilenetv4', 'mobilenetv4_conv_small', lively(model, 104, 1), cfg)


def pe_core():
    """Squashed to a square, as its own code does it; the rest is silent, so bicubic."""
    model = timm.create_model('vit_pe_core_tiny_patch16_384', num_classes=0, img_size=64, embed_dim=32, depth=2, num_heads=2,
                              attn_pool_num_heads=2, attn_pool_mlp_ratio=2., mlp_ratio=2., ref_feat_shape=(4, 4))
    cfg = {'input_size': [3, 64, 64], 'crop_mode': 'squash', 'crop_pct': 0.9, 'mean': [0.5, 0.5, 0.5], 'std': [0.5, 0.5, 0.5]}
    wrapped('pe_core', 'vit_pe_core_tiny_patch16_384', lively(model, 105), cfg)


if __name__ == '__main__':
    for name in sys.argv[1:] or ['dinov3', 'deit', 'efficientnet', 'mobilenetv4', 'pe_core']:
        globals()[name]()
