"""Photos and drawings: files are read in all common formats, and their digits prepared as MNIST's authors did theirs.

A picture that shows no digit or several is refused, and a broken file does no harm.
"""

import io
import re
import struct
import time
import zlib
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.test_fuzz import mutated
from tinygrad_mnist.datasets import image_file, strokes
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos import preparation
from tinygrad_mnist.photos.components import Fault

Image = pytest.importorskip("PIL.Image")
scenes = pytest.importorskip("benchmarks.scenes")

BLANK = ["sheet on a table", "dark squared paper", "hard shadow", "red margin", "dark columns", "plain", "shaded"]
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
"""The picture must be turned clockwise: orientation 6."""

PHOTOS = Path(__file__).parents[3] / "shared" / "photos"

DIGIT = strokes.draw(3, 1, np.random.default_rng(0))[0]
"""An image of a 3, as in MNIST."""


def sampled(cases: Iterable[Any], few: Container[Any]) -> list[Any]:
    """Return the cases of a test, of which all but a few are left to the exhaustive run."""
    return [case if case in few else pytest.param(case, marks=pytest.mark.exhaustive) for case in cases]


def saved(picture: Any, kind: str = "PNG", **options: Any) -> bytes:
    """Return the file of a picture, which is Pillow's or an array."""
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(np.rint(picture).clip(0, 255).astype(np.uint8))
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def prepared(content: bytes) -> preparation.Prepared:
    return preparation.prepare(image_file.load(io.BytesIO(content)), "a picture")


def enlarged(digit: NDArray[np.uint8], factor: int = 8) -> NDArray[np.float64]:
    """Return the ink of a digit (H, W), enlarged, from 0 to 1."""
    size = tuple(factor * side for side in digit.shape[::-1])
    return np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.BICUBIC)) / 255


def on_page(digit: NDArray[np.uint8], paper: float = 235, pen: float = 40, factor: int = 8) -> NDArray[np.float64]:
    return paper + (pen - paper) * enlarged(digit, factor)


def lit(page: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a page with half the light in its lower right corner. The light fades faster than linearly."""
    y, x = (np.linspace(0, 1, size) for size in page.shape)
    return page * (1 - 0.3 * x[None, :] ** 2 - 0.2 * y[:, None])


def in_colors(digit: NDArray[np.uint8], paper: tuple[int, ...], pen: tuple[int, ...]) -> NDArray[np.float64]:
    ink = enlarged(digit)[..., None]
    return np.asarray(paper) + (np.asarray(pen) - np.asarray(paper)) * ink


def with_specks(page: NDArray[np.float64]) -> NDArray[np.float64]:
    rng = np.random.default_rng(1)
    page = np.pad(page, 100, constant_values=page[0, 0])
    page += rng.normal(0, 8, page.shape)
    for _ in range(25):
        row, column = rng.integers(0, np.array(page.shape) - 3)
        page[row : row + 3, column : column + 3] = rng.uniform(0, 255)
    return page


def transparent(digit: NDArray[np.uint8], ink: int) -> bytes:
    """Return ink on a transparent background. The background has a color too, which must not show."""
    opacity = 255 * enlarged(digit)
    return saved(np.stack([np.where(opacity > 0, ink, 255 - ink)] * 3 + [opacity], axis=-1))


PICTURES: dict[str, Callable[[NDArray[np.uint8]], bytes]] = {
    "unchanged": saved,
    "dark on light": lambda digit: saved(255 - digit),
    "enlarged, light on dark": lambda digit: saved(on_page(digit, paper=20, pen=240)),
    "1.5 times as large": lambda digit: saved(Image.fromarray(255 - digit).resize((42, 42), Image.Resampling.BICUBIC)),
    "on gray paper": lambda digit: saved(on_page(digit, paper=150, pen=90)),
    "in fading light": lambda digit: saved(lit(on_page(digit))),
    "with noise and specks": lambda digit: saved(with_specks(on_page(digit)), "JPEG", quality=80),
    "a JPEG of low quality": lambda digit: saved(on_page(digit), "JPEG", quality=30),
    "turned by its EXIF": lambda digit: saved(np.rot90(on_page(digit)), "JPEG", exif=EXIF),
    "black and transparent": lambda digit: transparent(digit, 0),
    "white and transparent": lambda digit: transparent(digit, 255),
    "red on an equally bright green": lambda digit: saved(in_colors(digit, (0, 130, 0), (255, 0, 0))),
    "with a margin": lambda digit: saved(np.pad(on_page(digit), 150, constant_values=235)),
    "in a corner": lambda digit: saved(np.pad(on_page(digit, 225), ((0, 500), (700, 0)), constant_values=225)),
    "in a thin frame": lambda digit: saved(np.pad(on_page(digit), 1, constant_values=0)),
    "in a white frame": lambda digit: saved(np.pad(on_page(digit, paper=180), 8, constant_values=255)),
    "with a palette": lambda digit: saved(Image.fromarray(on_page(digit).astype(np.uint8)).convert("P"), "GIF"),
    "with a transparent color": lambda digit: saved(
        Image.fromarray(np.where(digit > 128, 250, 3).astype(np.uint8)).resize((196, 196), 0), transparency=3
    ),
    "with 16 bits": lambda digit: saved(Image.fromarray((257 * on_page(digit)).astype(np.uint16))),
    "with 1 bit": lambda digit: saved(Image.fromarray(on_page(digit) > 128), "TIFF", compression="group4"),
    "with floats": lambda digit: saved(Image.fromarray((on_page(digit) / 100 - 1).astype(np.float32)), "TIFF"),
    "in CMYK": lambda digit: saved(Image.fromarray(on_page(digit).astype(np.uint8)).convert("CMYK"), "JPEG"),
}
"""Pictures that can be made of a digit (28, 28), in which 255 is ink."""


def shifted(image: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """Return an image after all shifts by at most a pixel."""
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return [np.roll(image.astype(int), shift, axis=(0, 1)) for shift in shifts]


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the share of all ink in which two images differ, after the first is shifted by at most a pixel."""
    return min(float(np.abs(image - second).sum() / (image.sum() + second.sum())) for image in shifted(first))


@pytest.mark.parametrize("kind", sampled(PICTURES, list(PICTURES)[::3]))
def test_a_picture_of_a_digit_becomes_that_digit_again_and_fills_its_box(kind: str) -> None:
    image, fault = prepared(PICTURES[kind](DIGIT))
    assert fault == ""
    assert difference(image, DIGIT) < 0.2
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == strokes.BOX
    mass = image / image.sum()
    middle = [float((mass.sum(axis=axis) * np.arange(28)).sum()) for axis in (1, 0)]
    assert middle == pytest.approx([14, 14], abs=0.51)
    assert image.max() == 255


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_of_mnist_digits_become_those_digits_again(
    kind: str, real_digits: dict[str, tuple[NDArray[Any], NDArray[Any]]]
) -> None:
    pixels, labels = real_digits["t10k"]
    originals = pixels[np.flatnonzero(np.isin(labels, (3, 7)))[:8]].reshape(-1, 28, 28)
    differences = [difference(prepared(PICTURES[kind](digit)).image, digit) for digit in originals]
    assert np.median(differences) < 0.12, np.median(differences)
    assert max(differences) < 0.3, max(differences)


def test_a_thin_pen_on_a_large_page_is_found() -> None:
    page = np.full((1500, 2000), 220.0)
    page[500:700, 1000:1003] = 60
    page[500:503, 875:1003] = 60
    image = prepared(saved(lit(page) + np.random.default_rng(0).normal(0, 6, page.shape), "JPEG")).image
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    assert (len(rows), len(columns)) == (20, 13)
    assert image.max() == 255


def refused(content: bytes) -> str:
    """Check that a picture is refused, and return the sentence."""
    with pytest.raises(DataError, match=r"^a picture has ") as caught:
        prepared(content)
    return str(caught.value)


def blank(noise: float) -> NDArray[np.float64]:
    return lit(200 + np.random.default_rng(0).normal(0, noise, (400, 600)))


@pytest.mark.parametrize("noise", sampled([0, 2, 10, 40], [2]))
def test_a_page_without_a_digit_or_with_only_a_speck_is_refused(noise: float) -> None:
    page = blank(noise)
    assert "has no digit" in refused(saved(page))
    page[200:205, 300:305] = 0
    assert "has no digit" in refused(saved(page))


@pytest.mark.parametrize("size", sampled([(1, 1), (1, 5), (3, 3), (28, 28), (1, 2000), (500, 500)], [(1, 2000)]))
def test_a_picture_of_one_color_is_refused(size: tuple[int, int]) -> None:
    for picture in (Image.new("RGB", size, (9, 90, 200)), Image.new("RGBA", size)):
        assert "has no digit" in refused(saved(picture))


def next_to_digit(other: NDArray[np.uint8], gap: int) -> NDArray[np.float64]:
    """Return a page with DIGIT, a gap, and another image. The gap is in pixels, of which the digit's height is 20."""
    ink = [part[:, part.any(axis=0)] for part in (DIGIT, other)]
    row = np.hstack([ink[0], np.zeros((28, gap), np.uint8), ink[1]])
    return on_page(np.pad(row, ((0, 0), (4, 4))))


PAIRS = [(digit, gap) for digit in range(10) for gap in (4, 8, 20)]


@pytest.mark.parametrize("pair", sampled(PAIRS, [(8, 4)]))
def test_two_digits_side_by_side_are_refused(pair: tuple[int, int]) -> None:
    digit, gap = pair
    other = strokes.draw(digit, 1, np.random.default_rng(digit))[0]
    assert "has more than one digit: crop it" in refused(saved(next_to_digit(other, gap)))


def test_a_blot_next_to_a_digit_is_ignored() -> None:
    blot = np.zeros((28, 28), np.uint8)
    blot[10:17, 10:17] = 255
    assert difference(prepared(saved(next_to_digit(blot, 8))).image, DIGIT) < 0.12


@pytest.mark.parametrize("size", [(4, 1), (9, 4)])
def test_a_tiny_digit_is_accepted(size: tuple[int, int]) -> None:
    prepared(saved(255 - np.pad(np.full(size, 255, np.uint8), 3)))


@pytest.mark.parametrize(("shape", "pen", "margin"), [((100, 60), 8, 6), ((20, 14), 2, 1)])
def test_a_square_zero_near_the_edge_is_not_a_frame(shape: tuple[int, int], pen: int, margin: int) -> None:
    page = np.full(shape, 235, np.uint8)
    page[margin:-margin, margin:-margin] = 40
    page[margin + pen : -margin - pen, margin + pen : -margin - pen] = 235
    image = prepared(saved(page)).image
    assert image[14, 14] == 0
    assert image.max() == 255


def test_a_digit_in_two_close_halves_is_accepted() -> None:
    left, right = np.split(DIGIT, 2, axis=1)
    prepared(saved(on_page(np.hstack([left, np.zeros((28, 2), np.uint8), right]))))


def shot() -> "scenes.Shot":
    rng = np.random.default_rng([3, 1])
    return scenes.shot(strokes.draw(3, 1, rng)[0], rng)


def photo(page: "scenes.Shot", scene: str) -> bytes:
    rng = np.random.default_rng(1)
    colors = (scenes.GOOD | scenes.BAD)[scene](page, rng)
    return scenes.jpeg(scenes.photograph(colors, rng), 85)


@pytest.mark.parametrize(
    "scene",
    sampled([*scenes.GOOD, *scenes.BAD], ["dark squared paper", "tilted note", "tight"]),
)
def test_a_scene_changes_little_of_the_prepared_digit(scene: str) -> None:
    page = shot()
    image, fault = prepared(photo(page, scene))
    plain = prepared(photo(page, "plain")).image.ravel()
    assert max(float(np.corrcoef(one.ravel(), plain)[0, 1]) for one in shifted(image)) > 0.8
    assert fault == ""


@pytest.mark.parametrize("scene", sampled(BLANK, ["dark columns"]))
def test_a_scene_without_a_digit_is_refused(scene: str) -> None:
    page = shot()
    assert "has no digit" in refused(photo(page._replace(ink=np.zeros_like(page.ink)), scene))


def test_a_blot_alone_is_not_trusted() -> None:
    page = np.full((300, 400), 230, np.uint8)
    y, x = np.mgrid[:300, :400]
    page[np.hypot(y - 150, x - 200) < 60] = 30
    assert prepared(saved(page)).fault == Fault.SOLID


@pytest.mark.exhaustive
def test_a_photo_of_12_megapixels_takes_less_than_two_seconds() -> None:
    content = saved(scenes.photograph(shot().written(), np.random.default_rng(1)).resize((4000, 3000)), "JPEG")
    start = time.process_time()
    prepared(content)
    assert time.process_time() - start < 2


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photos are not beside this project")
def test_the_blank_page_among_the_photos_is_refused_and_all_others_are_trusted() -> None:
    for path in sorted(PHOTOS.glob("*.jpg")):
        if "blank" in path.name:
            with pytest.raises(DataError, match="has no digit"):
                preparation.prepare(image_file.load(path), str(path))
        else:
            assert preparation.prepare(image_file.load(path), str(path)).fault == ""


@pytest.mark.parametrize("kind", [*image_file.FORMATS, "MPO"])
def test_common_formats_are_read(kind: str) -> None:
    """MPO is a JPEG with more pictures after the first, as some phones save them."""
    page = on_page(DIGIT)
    grays = image_file.load(io.BytesIO(saved(page, kind)))
    assert grays.shape == page.shape
    assert np.abs(grays - page).mean() < 3


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
def test_only_the_first_of_several_frames_is_read(kind: str) -> None:
    first, second = (Image.fromarray(image) for image in (DIGIT, np.rot90(DIGIT)))
    content = saved(first, kind, save_all=True, append_images=[second], **{"lossless": True} if kind == "WEBP" else {})
    np.testing.assert_allclose(image_file.load(io.BytesIO(content)), DIGIT, atol=0.001)


def unreadable(source: bytes | Path) -> str:
    """Check that a file is refused in a sentence that names it, and return the sentence."""
    with pytest.raises(DataError) as caught:
        image_file.load(source if isinstance(source, Path) else io.BytesIO(source))
    name = str(source) if isinstance(source, Path) else "standard input"
    assert str(caught.value).startswith(name)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["AVIF", "DDS", "DIB", "EPS", "ICNS", "ICO", "JPEG2000", "PCX", "PDF", "SGI", "TGA"])
def test_all_other_formats_are_refused(kind: str) -> None:
    """EPS is a program, which is never run."""
    if kind not in (Image.init(), Image.SAVE)[1]:
        pytest.skip(f"this Pillow cannot write {kind}")
    assert "not accepted" in unreadable(saved(on_page(DIGIT), kind))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a text, and no image",
        bytes(1000),
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"%PDF-1.7\n",
        b"\0\0\0\x18ftypheic",
    ],
)
def test_a_file_that_is_not_an_image_is_refused(content: bytes) -> None:
    assert re.search("is not an image that can be read.*save it as PNG", unreadable(content))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.9])
def test_a_file_that_ends_early_is_refused(kind: str, share: float) -> None:
    content = saved(on_page(DIGIT) + np.random.default_rng(0).normal(0, 5, (224, 224)), kind)
    unreadable(content[: int(share * len(content))])


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "No such file" in unreadable(tmp_path / "photo.png")
    assert "cannot be read" in unreadable(tmp_path)


def test_numbers_that_are_not_finite_are_refused() -> None:
    assert "broken" in unreadable(saved(Image.fromarray(np.full((40, 40), np.nan, np.float32)), "TIFF"))


def test_an_endless_stream_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_file, "BYTE_LIMIT", 1 << 20)
    with pytest.raises(DataError, match="too large"), Path("/dev/zero").open("rb") as file:
        image_file.load(file)


def test_a_lack_of_memory_is_not_blamed_on_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.Image.open", too_large)
    with pytest.raises(MemoryError):
        image_file.load(io.BytesIO(b"any content"))


def peak_memory(reset: bool = False) -> int:
    """Return the most bytes that this process has had in memory, since the last reset if the system supports it."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("this system does not report the peak memory of a process")
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1])  # type: ignore[index]


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a part of a PNG file, with its checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (10_000, 10_000), (1_500_000, 60)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    row = chunk(b"IDAT", zlib.compress(bytes(min(size[0], 2_000_000) + 1), 9))
    memory = peak_memory(reset=True)
    assert "too large" in unreadable(b"\x89PNG\r\n\x1a\n" + header + row + chunk(b"IEND", b""))
    assert peak_memory() - memory < 100 << 20


KINDS = {"PNG": {}, "JPEG": {"exif": EXIF}, "GIF": {}, "BMP": {}, "TIFF": {"compression": "tiff_lzw"}, "WEBP": {}}


def with_checksums(content: bytes) -> bytes:
    """Return a PNG with correct checksums. With wrong ones, a changed chunk would be refused before it is read."""
    start, right = 8, content[:8]
    while start + 12 <= len(content):
        end = start + 8 + int.from_bytes(content[start : start + 4], "big")
        right += content[start:end] + struct.pack(">I", zlib.crc32(content[start + 4 : end]))
        start = end + 4
    return right


def broken_files(kind: str, count: int) -> Iterator[bytes]:
    """Yield damaged files of gray, color and palette pictures. Most PNG files get correct checksums."""
    rng = np.random.default_rng(0)
    modes = ("L", "RGB", "RGB" if kind == "JPEG" else "P")  # a JPEG cannot have a palette
    pictures = [Image.fromarray(on_page(DIGIT, factor=2).astype(np.uint8)).convert(mode) for mode in modes]
    good = [saved(picture, kind, **KINDS[kind]) for picture in pictures]
    for number in range(count):
        content = mutated(good[number % len(good)], rng)
        yield with_checksums(content) if kind == "PNG" and number % 4 else content


@pytest.mark.parametrize("count", sampled([24, 600], [24]))
@pytest.mark.parametrize("kind", KINDS)
def test_every_broken_file_gives_an_image_or_one_sentence(kind: str, count: int, one_sentence: Any) -> None:
    memory, accepted = peak_memory(reset=True), 0
    for number, content in enumerate(broken_files(kind, count)):
        start = time.perf_counter()
        try:
            grays = image_file.load(io.BytesIO(content))
            accepted += 1
            # Each file is decoded, which is what a broken one may upset, and a few are prepared too.
            if number % 20 == 0:
                assert preparation.prepare(grays, "a picture").image.shape == (28, 28)
        except DataError as error:
            one_sentence(error)
        assert time.perf_counter() - start < 5
    assert accepted < count
    assert accepted > 0 or kind == "WEBP"
    assert peak_memory() - memory < 200 << 20
