"""Small networks as PyTorch exported them to old opsets of ONNX, and what PyTorch itself says of a made-up input.

    pip install torch==1.13.1 onnx
    python test/oracles/old_opsets.py

Writes test/fixtures/old-opset-7.onnx and -9.onnx, and test/fixtures/old-opsets.json, for `src/models/convert/old-opsets.test.ts`.
"""
import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"


class Residual(nn.Module):
    """As a ResNet ends: batch norm, a sum, pooling, one linear layer."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 5)

    def features(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        return F.adaptive_avg_pool2d(F.relu(self.bn2(self.conv2(x)) + x), 1).flatten(1)

    def forward(self, x):
        return self.fc(self.features(x))


class Everything(nn.Module):
    """What changed its form since: Clip, Pad, Slice, Upsample, Dropout, Softmax; and LRN, shuffled channels, a mean."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 1, groups=2)
        self.fc = nn.Linear(14, 5)

    def features(self, x):
        x = F.local_response_norm(F.relu6(4 * self.conv1(x)), 3)
        x = F.pad(x, (1, 0, 0, 1), value=0.25)
        x = self.conv2(x).reshape(1, 2, 4, 13, 13).transpose(1, 2).reshape(1, 8, 13, 13)
        larger = F.interpolate(x[:, 1:7, :6, :6], scale_factor=2, mode="nearest")
        x = torch.cat([x, F.pad(larger, (0, 1, 0, 1))], 1)
        return F.dropout(x, training=False).mean((2, 3))

    def forward(self, x):
        return F.softmax(self.fc(self.features(x)), 1)


torch.manual_seed(3)
found = {}
for opset, network in ((7, Residual()), (9, Everything())):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 1.5)
    network.eval()
    x = torch.tensor([((i * 7919) % 251) / 125 - 1 for i in range(3 * 12 * 12)]).reshape(1, 3, 12, 12)
    torch.onnx.export(
        network, x, FIXTURES / f"old-opset-{opset}.onnx", opset_version=opset, input_names=["data"], output_names=["scores"],
        keep_initializers_as_inputs=True, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE,
    )
    with torch.no_grad():
        found[str(opset)] = {
            "features": [round(float(v), 6) for v in network.features(x).flatten()],
            "scores": [round(float(v), 6) for v in network(x).flatten()],
        }
(FIXTURES / "old-opsets.json").write_text(json.dumps(found) + "\n")
