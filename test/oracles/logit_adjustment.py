"""What PyTorch makes of a cross-entropy with logit adjustment, for `src/models/tuning/tuning.test.ts`.

    pip install torch
    python test/oracles/logit_adjustment.py

Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, formula 10, with tau = 1 and shares 20 to 4. The logits of
all 16 items are the bias, of which class 0 has twelve and class 1 four. Prints the sum of the losses and the bias's gradient.
"""
import torch
import torch.nn.functional as F

bias = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)
shares = torch.tensor([20.0, 4.0], dtype=torch.float64) / 24
labels = torch.tensor([0] * 12 + [1] * 4)
loss = F.cross_entropy((bias + shares.log()).expand(16, 2), labels, reduction="sum")
loss.backward()
print(loss.item(), bias.grad.tolist())
