"""The training loop of most tutorials, as the baseline: images are opened and normalised one by one, every epoch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, RandomSampler

from labs.data import data_root
from labs.fashion_mnist import import_torchvision


@lru_cache
def image_files():
    """Return the training images of Fashion-MNIST as torchvision hands them out, with a transform per image."""
    torchvision = import_torchvision()
    transform = torchvision.transforms.Compose(
        [torchvision.transforms.ToTensor(), torchvision.transforms.Normalize((0.5,), (0.5,))]
    )
    return torchvision.datasets.FashionMNIST(root=str(data_root()), train=True, transform=transform)


def loader(batch_size: int = 128, *, seed: int | None = None) -> DataLoader:
    """Return a loader over :func:`image_files`; with a seed it shuffles, into the same batches as ``labs``."""
    if seed is None:
        return DataLoader(image_files(), batch_size)
    order = RandomSampler(image_files(), generator=torch.Generator().manual_seed(seed))
    return DataLoader(image_files(), batch_size, sampler=order)


def train_epoch(
    model: nn.Module, descent: torch.optim.Optimizer, batches: Iterator[tuple[Tensor, Tensor]]
) -> tuple[float, float]:
    """Train over ``batches`` and return mean loss [nats] and accuracy (0 to 1), read out after every batch."""
    model.train()
    loss_sum, correct, count = 0.0, 0, 0
    for images, labels in batches:
        descent.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        descent.step()
        loss_sum += loss.item() * len(labels)
        correct += (logits.argmax(dim=1) == labels).sum().item()
        count += len(labels)
    return loss_sum / count, correct / count


def dead_masks(model: nn.Module, batches: Iterator[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """Return which ReLU units never left zero, by the definition: a comparison per batch, joined by AND."""
    masks: dict[str, Tensor] = {}
    with torch.no_grad():
        for x, _ in batches:
            for name, layer in model.named_children():
                x = layer(x)
                if isinstance(layer, nn.ReLU):
                    silent = (x == 0).all(dim=0)
                    masks[name] = masks[name] & silent if name in masks else silent
    return masks
