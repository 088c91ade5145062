"""The variety of web maps: any orientation, scale, sharpness, light and compression."""

import io
import math

import numpy as np
import torch
import torch.nn.functional as nnf
from PIL import Image
from torch import Tensor

from training.settings import AugmentSettings, GroundSettings, Settings

# Grey of haze, from 0 to 255.
HAZE_GREY = 225.0


def augment(pixels: Tensor, crops: Tensor, settings: Settings, random: torch.Generator) -> Tensor:
    """Vary a batch of pictures.

    Parameters
    ----------
    pixels : Tensor of uint8, shape (N, P, P, 3)
    crops : Tensor of float32, shape (N, 2)
        Least and most of each picture's side that a chip shows.
    settings : Settings
    random : torch.Generator
        The source of every choice.

    Returns
    -------
    Tensor of float32, shape (N, 3, S, S), 0 to 255, channels last
    """
    how = settings.augment
    chips = _move(_as_channels(pixels), crops, settings.ground.chip_px, how, random)
    chips = _coarsen(chips, settings.ground, how, random)
    chips = _relight(chips, how, random).clamp(0, 255)
    return _compress(chips, how, random).contiguous(memory_format=torch.channels_last)


def _as_channels(pixels: Tensor) -> Tensor:
    return pixels.permute(0, 3, 1, 2).float()


def _between(low: float, high: float, count: int, random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=random)


def _move(
    chips: Tensor, crops: Tensor, side_px: int, how: AugmentSettings, random: torch.Generator
) -> Tensor:
    """One of eight symmetries, a turn, a part of the picture and its scale, resampled once."""
    n = len(chips)
    quarter = torch.randint(0, 4, (n,), generator=random) * (math.pi / 2)
    angle = quarter + _between(-how.turn_deg, how.turn_deg, n, random) * (math.pi / 180)
    low, high = how.scale
    scale = torch.exp(_between(math.log(low), math.log(high), n, random))
    least, most = crops.log().T
    crop = torch.exp(least + (most - least) * torch.rand(n, generator=random))
    scale = scale * crop
    mirror = torch.randint(0, 2, (n,), generator=random) * 2.0 - 1.0
    # A part may lie anywhere in the picture; the picture spans 2.
    reach = (2 * how.shift * crop + (1 - crop))[:, None]
    shift = reach * _between(-1, 1, 2 * n, random).view(n, 2)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = torch.stack([cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]], 1)
    grid = nnf.affine_grid(rows.view(n, 2, 3), [n, 3, side_px, side_px], align_corners=False)
    return nnf.grid_sample(chips, grid, padding_mode="reflection", align_corners=False)


def _coarsen(
    chips: Tensor, ground: GroundSettings, how: AugmentSettings, random: torch.Generator
) -> Tensor:
    """Make some chips look like coarser imagery of the same ground, at the same size."""
    finest_m = ground.footprint_m / ground.chip_px
    side = chips.shape[-1]
    chosen = torch.rand(len(chips), generator=random) < how.coarse_share
    coarse_m = _between(finest_m, how.coarsest_m, len(chips), random)
    out = chips.clone()
    for index in torch.nonzero(chosen).flatten().tolist():
        small = max(1, round(side * finest_m / coarse_m[index].item()))
        less = nnf.interpolate(chips[index : index + 1], size=small, mode="area")
        out[index] = nnf.interpolate(less, size=side, mode="bilinear")[0]
    return out


def _relight(chips: Tensor, how: AugmentSettings, random: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation, colour cast and haze."""
    n = len(chips)

    def each(spread: float, columns: int = 1) -> Tensor:
        return _between(1 - spread, 1 + spread, n * columns, random).view(n, columns, 1, 1)

    mean = chips.mean((1, 2, 3), keepdim=True)
    chips = (chips - mean) * each(how.light) + mean * each(how.light)
    grey = chips.mean(1, keepdim=True)
    chips = (grey + (chips - grey) * each(2 * how.light)) * each(how.light / 3, 3)
    veil = (_between(-how.haze, how.haze, n, random).clamp(min=0)).view(n, 1, 1, 1)
    return chips * (1 - veil) + HAZE_GREY * veil


def _compress(chips: Tensor, how: AugmentSettings, random: torch.Generator) -> Tensor:
    """Encode some chips as JPEG and decode them again."""
    chosen = torch.rand(len(chips), generator=random) < how.jpeg_share
    low, high = how.jpeg_quality
    quality = torch.randint(low, high + 1, (len(chips),), generator=random)
    for index in torch.nonzero(chosen).flatten().tolist():
        pixels = chips[index].permute(1, 2, 0).round().to(torch.uint8).numpy()
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=int(quality[index]))
        back = np.asarray(Image.open(file))
        chips[index] = torch.from_numpy(back.copy()).permute(2, 0, 1).float()
    return chips
