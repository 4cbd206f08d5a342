"""Folders of images: the folders' names are the labels, and no image is skipped or confused without an error."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.datasets.conftest import Listener
from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import mnist, strokes
from tinygrad_mnist.errors import DataError

Image = pytest.importorskip("PIL.Image")

Images = dict[int, NDArray[np.uint8]]
Refused = Callable[..., None]

LAYOUTS = [
    *(("train", "valid"), ("training", "testing"), ("train", "test")),
    *(("Train", "Test"), ("train", "val"), ("TRAINING", "validation")),
]


@pytest.fixture
def drawn() -> Images:
    """Images (4, 28, 28) of each of three digits."""
    return {digit: strokes.draw(digit, 4, np.random.default_rng(digit)) for digit in (3, 5, 7)}


def fill(part: Path, drawn: Images, suffix: str = "png") -> None:
    for digit, images in drawn.items():
        (part / str(digit)).mkdir(parents=True)
        # Write them in reverse, so that their order on the disk differs from the order of their names.
        for number in reversed(range(len(images))):
            Image.fromarray(images[number]).save(part / str(digit) / f"{number}.{suffix}")


@pytest.fixture
def folder(tmp_path: Path, drawn: Images) -> Path:
    """A folder with 4 training images and 2 test images of each digit."""
    fill(tmp_path / "mine" / "train", drawn)
    fill(tmp_path / "mine" / "valid", {digit: images[:2] for digit, images in drawn.items()})
    return tmp_path / "mine"


@pytest.fixture
def refused(folder: Path, one_sentence: Callable[[object], None]) -> Refused:
    """Return a check that the folder is refused in one sentence."""

    def check(match: str, digits: tuple[int, ...] = (3, 7)) -> None:
        with pytest.raises(DataError, match=match) as caught:
            datasets.load(str(folder), digits)
        one_sentence(caught.value)

    return check


@pytest.mark.parametrize(("training", "test"), LAYOUTS)
def test_gray_images_of_mnists_size_are_left_unchanged(tmp_path: Path, drawn: Images, training: str, test: str) -> None:
    fill(tmp_path / training, drawn)
    fill(tmp_path / test, {digit: images[:2] for digit, images in drawn.items()}, "bmp")
    data = datasets.load(str(tmp_path), (3, 7))
    assert data.name == str(tmp_path)
    assert data.origin == f"images in {tmp_path}, {training} and {test}"
    np.testing.assert_array_equal(data.training.images, np.concatenate([drawn[3], drawn[7]]))
    np.testing.assert_array_equal(data.test.images, np.concatenate([drawn[3][:2], drawn[7][:2]]))
    assert data.training.labels.tolist() == [3] * 4 + [7] * 4
    assert data.test.labels.tolist() == [3] * 2 + [7] * 2


def test_images_are_sorted_by_digit_and_name(folder: Path) -> None:
    one, other = (datasets.load(str(folder), digits).training for digits in ((3, 7), (7, 3)))
    np.testing.assert_array_equal(one.images, other.images)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_larger_images_in_color_are_scaled_to_mnists_size(folder: Path, drawn: Images, listener: Listener) -> None:
    for path in folder.rglob("*.png"):
        digit = drawn[int(path.parent.name)][int(path.stem)]
        large = Image.fromarray(255 - digit).resize((150, 150)).convert("RGB")
        large.save(path.with_suffix(".JPG"), "JPEG")
        path.unlink()
    threes = datasets.load(str(folder), (3, 7), listener).training.images[:4]
    assert threes.shape == (4, 28, 28)
    assert np.mean(np.abs(threes.astype(int) - drawn[3])) < 0.3 * np.mean(drawn[3])
    assert "inverted" in listener.sentences[0]


def test_images_that_differ_in_size_are_scaled_to_mnists_size(folder: Path, drawn: Images) -> None:
    Image.fromarray(np.pad(drawn[3][0], [(0, 0), (0, 14)])).save(folder / "train" / "3" / "0.png")
    images = datasets.load(str(folder), (3, 7)).training.images
    assert images.shape == (8, 28, 28)
    np.testing.assert_array_equal(images[1:4], drawn[3][1:])


def test_test_comes_before_valid_unless_it_has_no_labels_as_in_mnist_tiny(folder: Path, drawn: Images) -> None:
    (folder / "test").mkdir()
    (folder / "test" / "0.png").write_bytes(b"not read")
    assert datasets.load(str(folder), (3, 7)).origin.endswith("train and valid")
    fill(folder / "test", {digit: images[:1] for digit, images in drawn.items()})
    data = datasets.load(str(folder), (3, 7))
    assert data.origin.endswith("train and test")
    assert len(data.test.labels) == 2


def test_only_images_of_the_given_digits_are_read(folder: Path, refused: Refused) -> None:
    (folder / "train" / "5" / "0.png").write_bytes(b"not an image")
    assert set(datasets.load(str(folder), (3, 7)).training.labels) == {3, 7}
    refused("5/0.png is not an image that can be read", (3, 5))


def test_mnists_four_files_come_before_images(folder: Path, small_mnist: dict[str, bytes]) -> None:
    for name, content in small_mnist.items():
        (folder / name).write_bytes(content)
    assert len(datasets.load(str(folder), (3, 7)).training.labels) == 12
    (folder / mnist.TEST[0]).unlink()
    with pytest.raises(DataError, match="four files"):
        datasets.load(str(folder), (3, 7))


@pytest.mark.parametrize("part", ["train", "valid"])
def test_a_digit_without_images_is_named(folder: Path, refused: Refused, part: str) -> None:
    (folder / part / "8").mkdir()
    refused("/8 has no images", (3, 8))
    for path in (folder / part / "3").iterdir():
        path.unlink()
    refused(f"{part}/3 has no images")


@pytest.mark.parametrize("name", ["three", "03", "10"])
def test_a_folder_that_is_not_named_after_a_digit_is_refused(folder: Path, refused: Refused, name: str) -> None:
    (folder / "train" / name).mkdir()
    refused(f"train/{name} is not named after a digit")


def test_a_folder_with_only_training_or_test_images_is_refused(folder: Path, refused: Refused) -> None:
    (folder / "valid").rename(folder / "elsewhere")
    refused("has no folder test or testing or valid")
    (folder / "train").rename(folder / "valid")
    refused("has no folder train or training")


def test_a_folder_without_data_is_refused(tmp_path: Path, one_sentence: Callable[[object], None]) -> None:
    with pytest.raises(DataError, match="is not a folder with MNIST's four files or images"):
        datasets.load(str(tmp_path), (3, 7))
    with pytest.raises(DataError, match="four files or images") as caught:
        datasets.load(str(tmp_path / "nowhere"), (3, 7))
    one_sentence(caught.value)


@pytest.mark.parametrize("side", [8, 16, 32])
def test_small_images_of_another_size_are_left_unchanged(tmp_path: Path, drawn: Images, side: int) -> None:
    small = {d: np.stack([np.asarray(Image.fromarray(i).resize((side, side))) for i in x]) for d, x in drawn.items()}
    for part in ("train", "val"):
        fill(tmp_path / part, small)
    np.testing.assert_array_equal(datasets.load(str(tmp_path), (3, 5)).training.images[:4], small[3])


@pytest.mark.parametrize("name", ["__MACOSX", "@eaDir", "$RECYCLE.BIN", "lost+found", ".cache"])
def test_what_systems_add_is_ignored_without_a_word(folder: Path, name: str, listener: Listener) -> None:
    for place in (folder, folder / "train", folder / "train" / "3"):
        (place / name).mkdir()
    for file in ("labels.csv", "train/README", "train/3/.hidden.png", "train/3/Thumbs.db"):
        (folder / file).write_bytes(b"not an image")
    datasets.load(str(folder), (3, 7), listener)
    assert listener.sentences == []


def test_other_files_are_left_out_and_counted(folder: Path, listener: Listener) -> None:
    (folder / "train" / "3" / "folder.png").mkdir()
    for name in ("train/7/clip.mpg", "valid/3/features.h5"):
        (folder / name).write_text("hello")
    data = datasets.load(str(folder), (3, 7), listener)
    assert len(data.training.labels) == 8
    assert "3 files or folders that are not images were left out, like clip.mpg" in listener.sentences[0]


def test_all_images_that_cannot_be_read_are_named_up_to_a_few(folder: Path, refused: Refused) -> None:
    (folder / "train/3/1.png").write_bytes(b"not an image")
    truncated = folder / "train/7/2.png"
    truncated.write_bytes(truncated.read_bytes()[:-60])
    refused(r"train/3/1.png is not an image that can be read; .*train/7/2.png is not an image that can be read: rep")
    for path in (folder / "train").rglob("*.png"):
        path.write_bytes(b"not an image")
    refused("; and 3 more: replace")
