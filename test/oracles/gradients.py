"""What PyTorch's automatic differentiation makes of small networks, for `src/onnx/gradients/parity.test.ts`.

    pip install torch
    python test/oracles/gradients.py

Writes test/fixtures/gradients.json: of each network the loss and the gradient of every input, in 64-bit floats. Inputs are
made up in the same way on both sides: sin(1.3 i + 0.7 k) for element i of input k, counted from 1.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"


def made_up(k, *dims):
    count = torch.Size(dims).numel()
    i = torch.arange(count, dtype=torch.float64)
    return torch.sin(1.3 * i + 0.7 * k).reshape(dims).requires_grad_()


def weighted(y):
    """A loss in which every element counts differently: the sum of y · cos(i)."""
    return (y.reshape(-1) * torch.cos(torch.arange(y.numel(), dtype=torch.float64))).sum()


def squeeze_excite(x, w1, b1, w2, b2):
    s = F.relu(F.conv2d(F.adaptive_avg_pool2d(x, 1), w1, b1))
    return weighted(x * F.hardsigmoid(F.conv2d(s, w2, b2)))


def inverted_residual(x, w1, w2, w3):
    y = F.hardswish(F.conv2d(x, w1))
    y = F.hardswish(F.conv2d(y, w2, padding=2, groups=12))
    return weighted(F.conv2d(y, w3) + x)


def attention(x, wq, wk, wv):
    q, k, v = (F.linear(x, w).reshape(2, 4, 2, 3).transpose(1, 2) for w in (wq, wk, wv))
    weights = torch.softmax(q @ k.transpose(-1, -2) / 3**0.5, dim=-1)
    return weighted((weights @ v).transpose(1, 2).reshape(2, 4, 6))


def cross_entropy(logits, targets):
    return F.cross_entropy(logits, torch.softmax(targets.detach() * 3, dim=1))


CASES = {
    "convolution": (lambda x, w, b: weighted(F.conv2d(x, w, b, stride=2, padding=1)), [(2, 9, 7, 6), (4, 9, 3, 3), (4,)]),
    "dilated convolution": (lambda x, w: weighted(F.conv2d(x, w, padding=2, dilation=2)), [(1, 9, 6, 6), (2, 9, 3, 3)]),
    "grouped convolution": (lambda x, w: weighted(F.conv2d(x, w, padding=1, groups=2)), [(2, 4, 5, 5), (6, 2, 3, 3)]),
    "depthwise convolution": (
        lambda x, w: weighted(F.conv2d(x, w, stride=2, padding=2, groups=4)),
        [(2, 4, 7, 7), (4, 1, 5, 5)],
    ),
    "squeeze and excite": (squeeze_excite, [(2, 6, 3, 3), (2, 6, 1, 1), (2,), (6, 2, 1, 1), (6,)]),
    "inverted residual": (inverted_residual, [(1, 4, 5, 5), (12, 4, 1, 1), (12, 1, 5, 5), (4, 12, 1, 1)]),
    "batch normalisation": (
        lambda x, g, b: weighted(
            F.batch_norm(x, torch.linspace(-1, 1, 3).double(), torch.linspace(0.5, 2, 3).double(), g, b, eps=1e-3)
        ),
        [(2, 3, 2, 3), (3,), (3,)],
    ),
    "layer normalisation": (lambda x, g, b: weighted(F.layer_norm(x, (6,), g, b)), [(2, 3, 6), (6,), (6,)]),
    "instance normalisation": (lambda x, g, b: weighted(F.instance_norm(x, None, None, g, b)), [(2, 3, 4, 3), (3,), (3,)]),
    "local response normalisation": (lambda x: weighted(F.local_response_norm(x, 5, 2, 0.75, 1.5)), [(2, 6, 2, 3)]),
    "attention": (attention, [(2, 4, 6), (6, 6), (6, 6), (6, 6)]),
    "GELU": (lambda x: weighted(F.gelu(2 * x)), [(3, 8)]),
    "ReLU6": (lambda x: weighted(F.relu6(8 * x)), [(3, 8)]),
    "SiLU": (lambda x: weighted(F.silu(4 * x)), [(3, 8)]),
    "pools": (lambda x: weighted(F.avg_pool2d(F.max_pool2d(x, 3, 2, 1), 2, 1)), [(2, 2, 9, 8)]),
    "resize": (
        lambda x: weighted(F.interpolate(x, size=(7, 9), mode="bilinear", align_corners=False)),
        [(1, 2, 4, 5)],
    ),
    "cross-entropy": (cross_entropy, [(5, 4), (5, 4)]),
}


def main():
    table = {}
    for name, (loss_of, shapes) in CASES.items():
        inputs = [made_up(k + 1, *dims) for k, dims in enumerate(shapes)]
        loss = loss_of(*inputs)
        loss.backward()
        gradients = [x.grad.reshape(-1).tolist() if x.grad is not None else None for x in inputs]
        rounded = [g and [float(f"{v:.7g}") for v in g] for g in gradients]
        table[name] = {"loss": float(f"{loss.item():.9g}"), "shapes": shapes, "gradients": rounded}
    table["torch"] = torch.__version__
    path = FIXTURES / "gradients.json"
    path.write_text(json.dumps(table) + "\n")


main()
