"""Renders digits as people photograph them: a pen on paper, in good and in bad scenes.

    ink of a digit --enlarged--> pen's ink --a scene--> colors --noise, JPEG--> file

Everything is drawn from a generator of random numbers, so the same seed gives the same photos. Colors are reflectances
from 0 to 1, multiplied by the light.
"""

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Floats = NDArray[np.floating[Any]]
Generator = np.random.Generator

PENS = ((0.1, 0.1, 0.12), (0.12, 0.15, 0.45), (0.65, 0.12, 0.12), (0.3, 0.3, 0.32))
"""Black, blue and red ink, and pencil."""


class Shot(NamedTuple):
    """A page to photograph: its colors (H, W, 3), the digit's ink (H, W) from 0 to 1, and the color of the pen."""

    colors: Floats
    ink: Floats
    pen: Floats

    def written(self) -> Floats:
        """Return the colors with the digit on them."""
        return self.colors + (self.pen - self.colors) * self.ink[..., None]

    def box(self) -> tuple[int, int, int, int]:
        """Return the digit's top, left, bottom and right."""
        rows, columns = (np.flatnonzero((self.ink > 0.3).any(axis=axis)) for axis in (1, 0))
        return int(rows[0]), int(columns[0]), int(rows[-1]), int(columns[-1])


def enlarge(image: NDArray[np.uint8], height: int) -> Floats:
    """Return the sharp ink (height, W) of an image (28, 28), without its margin."""
    rows, columns = (np.flatnonzero((image > 64).any(axis=axis)) for axis in (1, 0))
    crop = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    size = max(1, round(crop.shape[1] * height / crop.shape[0])), height
    margin = height // 12
    large = np.pad(np.asarray(Image.fromarray(crop).resize(size, Image.Resampling.BICUBIC), float) / 255, margin)
    return 1 / (1 + np.exp(-12 * (ndimage.gaussian_filter(large, height / 40) - 0.45)))


def place(ink: Floats, shape: tuple[int, int], rng: Generator, spread: float = 0.12) -> Floats:
    """Return a page's ink (H, W), with the digit near its middle."""
    page = np.zeros(shape)
    corner = [
        int(np.clip((room - size) * (0.5 + rng.uniform(-spread, spread)), 0, max(room - size, 0)))
        for room, size in zip(shape, ink.shape, strict=True)
    ]
    ink = ink[: shape[0], : shape[1]]
    page[corner[0] : corner[0] + ink.shape[0], corner[1] : corner[1] + ink.shape[1]] = ink
    return page


def shot(image: NDArray[np.uint8], rng: Generator, share: tuple[float, float] = (0.35, 0.6)) -> Shot:
    """Return a digit on plain paper, this share of the page's shorter side high."""
    shape = (450, 600) if rng.random() < 0.6 else (600, 450)
    ink = enlarge(image, int(450 * rng.uniform(*share)))
    pen = np.array(PENS[rng.integers(len(PENS))]) * rng.uniform(0.8, 1.2)
    paper = np.array([1, 0.995, 0.98]) * rng.uniform(0.88, 0.98)
    return Shot(np.broadcast_to(paper, (*shape, 3)).copy(), place(ink, shape, rng), pen)


def coordinates(shape: tuple[int, ...], angle: float = 0.0) -> tuple[Floats, Floats]:
    """Return x and y (H, W) in pixels from the middle, turned by an angle in degrees."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    x, y = x - shape[1] / 2, y - shape[0] / 2
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    return x * cos + y * sin, y * cos - x * sin


def wood(shape: tuple[int, ...], rng: Generator) -> Floats:
    """Return the colors of a table: brown or gray, with a grain or plain."""
    base = np.array([(0.36, 0.22, 0.13), (0.55, 0.4, 0.26), (0.3, 0.3, 0.33), (0.15, 0.13, 0.12)][rng.integers(4)])
    noise = ndimage.gaussian_filter(rng.normal(size=shape[:2]), rng.permutation([1.0, rng.uniform(6, 40)]))
    grain = 1 + rng.choice([0.04, 0.12, 0.2]) * noise / noise.std()
    colors: Floats = base * grain[..., None].clip(0.3, 1.8)
    return colors


def light(shape: tuple[int, ...], rng: Generator, fade: float = 0.25) -> Floats:
    """Return the light (H, W, 1), which fades toward a side."""
    x, _ = coordinates(shape, rng.uniform(0, 360))
    return (1 - rng.uniform(0, fade) * (x / max(shape) + 0.5))[..., None]


def stripes(at: Floats, spacing: float, width: float) -> Floats:
    """Return the cover (H, W), from 0 to 1, of lines at the multiples of a spacing."""
    distance = np.abs((at + spacing / 2) % spacing - spacing / 2)
    return (width / 2 - distance + 0.5).clip(0, 1)


def draw(colors: Floats, cover: Floats, color: Any) -> Floats:
    """Return the colors with another color over them."""
    return colors + (np.asarray(color) - colors) * cover[..., None]


def plain(page: Shot, rng: Generator) -> Floats:
    """Plain paper, evenly lit."""
    return page.written() * light(page.ink.shape, rng, 0.1)


def shaded(page: Shot, rng: Generator) -> Floats:
    """Light that fades toward a side."""
    return page.written() * light(page.ink.shape, rng, 0.7)


def sheet_on_table(page: Shot, rng: Generator, turn: float = 0.0) -> Floats:
    """A whole sheet, and the table on all sides of it."""
    shape = page.ink.shape
    written = page.written() * light(shape, rng)
    scale = rng.uniform(0.55, 0.85)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / scale
    middle = np.array(shape) / 2
    offset = middle - matrix @ (middle + rng.uniform(-0.05, 0.05, 2) * shape)
    sheet = np.stack([ndimage.affine_transform(written[..., c], matrix, offset, order=1) for c in range(3)], axis=-1)
    cover = ndimage.affine_transform(np.ones(shape), matrix, offset, order=1)[..., None]
    table = wood(shape, rng) * (1 - 0.3 * ndimage.gaussian_filter(cover, (8, 8, 0)))
    return (table * (1 - cover) + sheet * cover) * light(shape, rng, 0.15)


def tilted_note(page: Shot, rng: Generator) -> Floats:
    """A note that lies at an angle."""
    return sheet_on_table(page, rng, np.deg2rad(rng.uniform(4, 18) * rng.choice([-1, 1])))


def hard_shadow(page: Shot, rng: Generator) -> Floats:
    """A shadow with a clear edge, which may run through the digit."""
    x, _ = coordinates(page.ink.shape, rng.uniform(0, 360))
    edge = 1 / (1 + np.exp(-(x - rng.uniform(-80, 80)) / rng.uniform(0.5, 8)))
    return page.written() * (1 - edge[..., None] * rng.uniform(0.35, 0.6))


def table_strip(page: Shot, rng: Generator) -> Floats:
    """A strip of table at one side."""
    x, _ = coordinates(page.ink.shape, 90 * rng.integers(4) + rng.uniform(-4, 4))
    edge = min(np.abs(x).max() - rng.uniform(0.02, 0.22) * 450, float(x[page.ink > 0.1].max(initial=0)) + 15)
    written, strip = page.written() * light(page.ink.shape, rng), (x - edge).clip(0, 1)[..., None]
    return written + (wood(page.ink.shape, rng) - written) * strip


def _lines(page: Shot, rng: Generator, spacing: tuple[float, float], gray: tuple[float, float], cross: bool) -> Floats:
    angle = rng.choice([0.0, rng.uniform(-4, 4)])
    step, width, start = rng.uniform(*spacing), rng.uniform(1, 2.2), rng.uniform(0, 60)
    color = rng.uniform(*gray) * np.array([(1, 1, 1), (0.75, 0.9, 1.1)][rng.integers(2)])
    colors = page.colors
    for at in coordinates(page.ink.shape, angle)[:: 1 if cross else -2]:
        colors = draw(colors, stripes(at + start, step, width), color.clip(0, 1))
    return page._replace(colors=colors).written() * light(page.ink.shape, rng)


def ruled(page: Shot, rng: Generator) -> Floats:
    """Pale lines."""
    return _lines(page, rng, (24, 48), (0.7, 0.82), cross=False)


def strong_ruled(page: Shot, rng: Generator) -> Floats:
    """Dark lines."""
    return _lines(page, rng, (30, 70), (0.2, 0.5), cross=False)


def squared(page: Shot, rng: Generator) -> Floats:
    """A pale grid."""
    return _lines(page, rng, (18, 36), (0.65, 0.8), cross=True)


def dark_squared(page: Shot, rng: Generator) -> Floats:
    """A dark grid."""
    return _lines(page, rng, (18, 36), (0.2, 0.5), cross=True)


def red_margin(page: Shot, rng: Generator) -> Floats:
    """Pale lines, and a red one for the margin."""
    x, _ = coordinates(page.ink.shape, rng.uniform(-2, 2))
    at = -page.ink.shape[1] * rng.uniform(0.3, 0.42)
    margin = (rng.uniform(1, 2) - np.abs(x - at)).clip(0, 1)
    return ruled(page._replace(colors=draw(page.colors, margin, (0.8, 0.4, 0.45))), rng)


def punched_holes(page: Shot, rng: Generator) -> Floats:
    """Two or four holes at the left edge."""
    x, y = coordinates(page.ink.shape)
    colors, count, radius = page.written(), rng.choice([2, 4]), rng.uniform(9, 16)
    gray = rng.uniform(0.1, 0.4)
    for k in range(count):
        at = (k + 0.5 - count / 2) * rng.uniform(80, 130)
        distance = np.hypot(x + page.ink.shape[1] / 2 - rng.uniform(24, 36), y - at)
        colors = draw(colors, (radius - distance).clip(0, 1), (gray, gray * 0.9, gray * 0.8))
    return colors * light(page.ink.shape, rng)


def circled(page: Shot, rng: Generator) -> Floats:
    """A digit in a ring of the same pen."""
    top, left, bottom, right = page.box()
    x, y = coordinates(page.ink.shape)
    x, y = x - (left + right - page.ink.shape[1]) / 2, y - (top + bottom - page.ink.shape[0]) / 2
    angle = np.arctan2(y, x)
    radius = np.hypot(bottom - top, right - left) / 2 * rng.uniform(1.15, 1.35)
    wobble = 1 + 0.05 * np.cos(angle + rng.uniform(0, 6)) + 0.03 * np.cos(2 * angle + rng.uniform(0, 6))
    ring = (rng.uniform(2, 6) - np.abs(np.hypot(x * rng.uniform(1, 1.15), y) - radius * wobble)).clip(0, 1)
    return page._replace(ink=np.maximum(page.ink, ring)).written() * light(page.ink.shape, rng)


def dark_columns(page: Shot, rng: Generator) -> Floats:
    """A few dark rows of pixels at one edge."""
    turn = rng.integers(4)
    colors = np.rot90(page.written() * light(page.ink.shape, rng), turn).copy()
    colors[:, : rng.integers(1, 7)] = rng.uniform(0.03, 0.3)
    return np.rot90(colors, -turn)


def printed_box(page: Shot, rng: Generator) -> Floats:
    """A box, as on forms."""
    top, left, bottom, right = page.box()
    gap = rng.uniform(0.08, 0.45) * (bottom - top)
    x, y = coordinates(page.ink.shape, rng.choice([0.0, rng.uniform(-2, 2)]))
    x, y = x - (left + right - page.ink.shape[1]) / 2, y - (top + bottom - page.ink.shape[0]) / 2
    outside = np.maximum(np.abs(x) - (right - left) / 2, np.abs(y) - (bottom - top) / 2) - gap
    if rng.random() < 0.4:
        outside = np.maximum(np.abs(x), np.abs(y)) - (bottom - top) / 2 - gap
    box = (rng.uniform(1, 3) - np.abs(outside) + 0.5).clip(0, 1)
    gray = rng.uniform(0.05, 0.4)
    return page._replace(colors=draw(page.colors, box, (gray,) * 3)).written() * light(page.ink.shape, rng)


def blot(page: Shot, rng: Generator) -> Floats:
    """A blot of the pen, anywhere beside the digit."""
    shape, radius = page.ink.shape, rng.uniform(15, 50)
    away = ndimage.distance_transform_edt(page.ink < 0.1)
    inside = np.zeros(shape, bool)
    inside[int(radius) : -int(radius), int(radius) : -int(radius)] = True
    spots = np.argwhere((away > radius * 1.6) & inside)
    row, column = spots[rng.integers(len(spots))] if len(spots) else (30, 30)
    y, x = np.mgrid[: shape[0], : shape[1]]
    angle = np.arctan2(y - row, x - column)
    wobble = 1 + sum(0.1 * np.cos(k * angle + rng.uniform(0, 6)) for k in (2, 3, 5))
    stain = (radius * wobble - np.hypot(y - row, x - column)).clip(0, 1)
    return page._replace(ink=np.maximum(page.ink, stain)).written() * light(shape, rng)


def tight(page: Shot, rng: Generator) -> Floats:
    """Cut out to the very edge of the ink."""
    top, left, bottom, right = page.box()
    return plain(page, rng)[top : bottom + 1, left : right + 1]


def rotated(page: Shot, rng: Generator) -> Floats:
    """Rotated by at most 12 degrees."""
    angle = rng.uniform(-12, 12)
    turned = ndimage.rotate(page.ink, angle, reshape=False, order=1)
    return page._replace(ink=turned).written() * light(page.ink.shape, rng)


def inverted(page: Shot, rng: Generator) -> Floats:
    """Light ink on dark paper."""
    chalk = page._replace(pen=np.full(3, rng.uniform(0.7, 0.95)), colors=page.colors * rng.uniform(0.02, 0.3))
    return chalk.written() * light(page.ink.shape, rng)


def ruled_on_table(page: Shot, rng: Generator) -> Floats:
    """A sheet with lines, and the table on all sides."""
    colors = ruled(page._replace(ink=np.zeros_like(page.ink)), rng)
    return sheet_on_table(page._replace(colors=colors), rng, np.deg2rad(rng.uniform(-8, 8)))


Scene = Callable[[Shot, Generator], Floats]

GOOD: dict[str, Scene] = {
    "plain": plain,
    "shaded": shaded,
    "ruled": ruled,
    "rotated": rotated,
    "inverted": inverted,
}

BAD: dict[str, Scene] = {
    "sheet on a table": sheet_on_table,
    "dark squared paper": dark_squared,
    "tilted note": tilted_note,
    "hard shadow": hard_shadow,
    "strip of table": table_strip,
    "red margin": red_margin,
    "squared": squared,
    "punched holes": punched_holes,
    "circled": circled,
    "dark columns": dark_columns,
    "strong ruled lines": strong_ruled,
    "printed box": printed_box,
    "blot": blot,
    "tight": tight,
    "ruled sheet on a table": ruled_on_table,
}


def photograph(colors: Floats, rng: Generator) -> Image.Image:
    """Return the photo of colors (H, W, 3): a little blurred, and with the noise of a camera."""
    blurred = ndimage.gaussian_filter(colors, (*[rng.uniform(0.2, 0.9)] * 2, 0))
    noisy = 255 * blurred + rng.normal(0, rng.uniform(1, 4), colors.shape)
    return Image.fromarray(np.rint(noisy).clip(0, 255).astype(np.uint8))


def jpeg(photo: Image.Image, quality: int) -> bytes:
    """Return the JPEG file of a photo."""
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return file.getvalue()
