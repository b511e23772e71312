"""A training step of PyTorch on a network of torchvision whose batch norms are folded; prints JSON."""
import json
import sys
import time

import torch
import torch.nn.functional as F
import torchvision
from torch.nn.utils.fusion import fuse_conv_bn_eval

settings = json.loads(sys.argv[2])
torch.set_num_threads(settings["threads"])


def folded(module):
    """Each batch norm into the convolution that stands before it among its neighbours."""
    names = list(module._modules)
    for before, after in zip(names, names[1:]):
        a, b = module._modules[before], module._modules[after]
        if isinstance(a, torch.nn.Conv2d) and isinstance(b, torch.nn.BatchNorm2d):
            module._modules[before] = fuse_conv_bn_eval(a, b)
            module._modules[after] = torch.nn.Identity()
    for child in module.children():
        folded(child)
    return module


def step_times(memory_format):
    torch.manual_seed(0)
    model = folded(getattr(torchvision.models, settings["network"])(weights=None).eval())
    body = torch.nn.Sequential(model.features, model.avgpool) if hasattr(model, "features") else torch.nn.Sequential(
        *list(model.children())[:-1]
    )
    body = body.to(memory_format=memory_format)
    shape = (settings["batch"], 3, settings["side"], settings["side"])
    x = torch.rand(shape).to(memory_format=memory_format)
    head = torch.nn.Linear(body(x[:1]).flatten(1).shape[1], settings["classes"])
    y = torch.arange(settings["batch"]) % settings["classes"]
    optimiser = torch.optim.AdamW([*body.parameters(), *head.parameters()], lr=1e-4)
    times = []
    for _ in range(settings["steps"]):
        began, cpu_began = time.perf_counter(), time.process_time()
        optimiser.zero_grad()
        F.cross_entropy(head(F.normalize(body(x).flatten(1))), y).backward()
        optimiser.step()
        times.append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - cpu_began)))
    return [min(column) for column in zip(*times[1:])]


step, cpu = (min(pair) for pair in zip(*(step_times(f) for f in (torch.contiguous_format, torch.channels_last))))
print(json.dumps({"stepMs": step, "cpuMs": cpu}))
