"""What PyTorch's automatic differentiation makes of the families of networks, for `test/families.test.ts`.

    pip install torch onnx
    python test/oracles/families.py

Runs each network of test/fixtures/families operator by operator with PyTorch's own, in 64-bit floats, and writes
test/fixtures/families.json: the loss, and of each constant's gradient its length and its product with cos(i). The images are
sin(1.3 i + 0.7), the classifier on features of length 1 is sin(1.3 i + 1.4), image i is of class i modulo the number of classes.
"""
import json
import pathlib
import subprocess
import tempfile

import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).parent.parent.parent
IMAGES, SIDE, CLASSES = 4, 32, 5
WRITE = """
import { writeFileSync } from 'node:fs';
import { FAMILIES, familyNetwork } from './test/fixtures/families/families.ts';
for (const [i, name] of Object.keys(FAMILIES).entries()) writeFileSync(`${process.argv[1]}/${i}.onnx`, familyNetwork(name).bytes);
process.stdout.write(JSON.stringify(Object.keys(FAMILIES)));
"""


def pads_of(a):
    top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
    return left, right, top, bottom


def conv(a, x, w, b=None):
    x = F.pad(x, pads_of(a))
    return F.conv2d(x, w, b, a.get("strides", 1), 0, a.get("dilations", 1), a.get("group", 1))


def max_pool(a, x):
    return F.max_pool2d(F.pad(x, pads_of(a), value=-torch.inf), a["kernel_shape"], a.get("strides", 1))


def average_pool(a, x):
    pads = a.get("pads", [0, 0, 0, 0])
    assert pads[:2] == pads[2:]
    counted = bool(a.get("count_include_pad", 0))
    return F.avg_pool2d(x, a["kernel_shape"], a.get("strides", 1), pads[:2], count_include_pad=counted)


def reshape(a, x, shape):
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(shape.tolist())])


def slice_of(a, x, starts, ends, axes, steps=None):
    index = [slice(None)] * x.ndim
    every = steps.tolist() if steps is not None else [1] * len(starts)
    for start, end, axis, step in zip(starts.tolist(), ends.tolist(), axes.tolist(), every):
        index[axis] = slice(start, end, step)
    return x[tuple(index)]


def resize(a, x, _roi, scales=None):
    factor = scales.tolist()[2:]
    if a["mode"] == "nearest":
        return F.interpolate(x, scale_factor=factor, mode="nearest")
    size = [round(side * by) for side, by in zip(x.shape[2:], factor)]
    return F.interpolate(x, size=size, mode={"cubic": "bicubic", "linear": "bilinear"}[a["mode"]])


def gather(a, x, index):
    axis = a.get("axis", 0) % x.ndim
    picked = torch.index_select(x, axis, index.reshape(-1))
    return picked.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def layer_norm(a, x, g, b):
    return F.layer_norm(x, x.shape[a.get("axis", -1) % x.ndim :], g, b, a.get("epsilon", 1e-5))


OPERATORS = {
    "Conv": conv,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "BatchNormalization": lambda a, x, g, b, m, v: F.batch_norm(x, m.detach(), v.detach(), g, b, eps=a.get("epsilon", 1e-5)),
    "LayerNormalization": layer_norm,
    "InstanceNormalization": lambda a, x, g, b: F.instance_norm(x, None, None, g, b, eps=a.get("epsilon", 1e-5)),
    "LRN": lambda a, x: F.local_response_norm(x, a["size"], a["alpha"], a["beta"], a["bias"]),
    "Identity": lambda a, x: x,
    "Relu": lambda a, x: F.relu(x),
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a["alpha"]),
    "Sigmoid": lambda a, x: torch.sigmoid(x),
    "Tanh": lambda a, x: torch.tanh(x),
    "Erf": lambda a, x: torch.erf(x),
    "HardSwish": lambda a, x: F.hardswish(x),
    "HardSigmoid": lambda a, x: F.hardsigmoid(x),
    "Clip": lambda a, x, low, high: torch.clamp(x, low, high),
    "Softmax": lambda a, x: torch.softmax(x, a.get("axis", -1)),
    "Add": lambda a, x, y: x + y,
    "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y,
    "Div": lambda a, x, y: x / y,
    "Pow": lambda a, x, y: x**y,
    "Sum": lambda a, *xs: sum(xs),
    "MatMul": lambda a, x, y: x @ y,
    "ReduceMean": lambda a, x, axes: x.mean(axes.tolist(), keepdim=bool(a.get("keepdims", 1))),
    "Concat": lambda a, *xs: torch.cat(xs, a["axis"]),
    "Split": lambda a, x, sizes: torch.split(x, sizes.tolist(), a.get("axis", 0)),
    "Slice": slice_of,
    "Gather": gather,
    "Shape": lambda a, x: torch.tensor(x.shape),
    "Expand": lambda a, x, shape: x.expand(shape.tolist()),
    "Reshape": reshape,
    "Flatten": lambda a, x: x.flatten(1),
    "Transpose": lambda a, x: x.permute(a["perm"]),
    "Squeeze": lambda a, x, axes: x.squeeze(axes.tolist()),
    "Unsqueeze": lambda a, x, axes: x.unsqueeze(axes.item()),
    "Resize": resize,
}


def numbers(proto):
    found = torch.from_numpy(onnx.numpy_helper.to_array(proto).copy())
    return found.double().requires_grad_() if found.is_floating_point() else found


def run(graph, x):
    values = {proto.name: numbers(proto) for proto in graph.initializer}
    constants = dict(values)
    values["input"] = x
    for node in graph.node:
        attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
        attributes = {key: value.decode() if isinstance(value, bytes) else value for key, value in attributes.items()}
        inputs = [values[name] if name else None for name in node.input]
        result = OPERATORS[node.op_type](attributes, *inputs)
        for name, value in zip(node.output, result if isinstance(result, tuple) else (result,)):
            values[name] = value
    return values["features"], constants


def made_up(dims, shift):
    return torch.sin(1.3 * torch.arange(torch.Size(dims).numel(), dtype=torch.float64) + shift).reshape(dims)


def expected(path):
    features, constants = run(onnx.load(path).graph, made_up((IMAGES, 3, SIDE, SIDE), 0.7))
    head = made_up((CLASSES, features.shape[1]), 1.4)
    logits = F.normalize(features, eps=0) @ head.T
    loss = F.cross_entropy(logits, torch.arange(IMAGES) % CLASSES, reduction="sum")
    loss.backward()
    gradients = {}
    for name, value in constants.items():
        # Weights alone: their names are w and a number.
        if not name.startswith("w") or value.grad is None:
            continue
        flat = value.grad.reshape(-1)
        along = (flat * torch.cos(torch.arange(len(flat), dtype=torch.float64))).sum()
        gradients[name] = [float(f"{number:.6g}") for number in (flat.norm().item(), along.item())]
    return {"loss": float(f"{loss.item():.8g}"), "gradients": gradients}


def main():
    with tempfile.TemporaryDirectory() as folder:
        command = ["node", "--input-type=module", "-e", WRITE, folder]
        names = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
        table = {name: expected(f"{folder}/{i}.onnx") for i, name in enumerate(names)}
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in table.items())
    path = ROOT / "test" / "fixtures" / "families.json"
    path.write_text(f'{{\n"torch": {json.dumps(torch.__version__)},\n{text}\n}}\n')


main()
