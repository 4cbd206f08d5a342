"""Folders of images: the folders' names are the labels, and no image is skipped or confused without an error."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import image_folder, mnist, strokes
from tinygrad_mnist.errors import DataError

Image = pytest.importorskip("PIL.Image")

Images = dict[int, NDArray[np.uint8]]
Refused = Callable[..., None]

LAYOUTS = [("train", "valid"), ("training", "testing"), ("train", "test")]


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


def test_larger_images_are_prepared(folder: Path, drawn: Images) -> None:
    size = (150, 150)
    for path in folder.rglob("3/*.png"):
        large = Image.fromarray(255 - drawn[3][int(path.stem)]).resize(size).convert("RGB")
        large.save(path.with_suffix(".JPG"), "JPEG")
        path.unlink()
    threes = datasets.load(str(folder), (3, 7)).training.images[:4]
    assert threes.shape == (4, 28, 28)
    assert np.mean(np.abs(threes.astype(int) - drawn[3])) < 0.3 * np.mean(drawn[3])


def test_the_unlabeled_test_images_of_mnist_tiny_are_ignored(folder: Path) -> None:
    (folder / "test").mkdir()
    (folder / "test" / "0.png").write_bytes(b"not read")
    assert datasets.load(str(folder), (3, 7)).origin.endswith("train and valid")


def test_test_comes_before_valid(folder: Path, drawn: Images) -> None:
    fill(folder / "test", {digit: images[:1] for digit, images in drawn.items()})
    data = datasets.load(str(folder), (3, 7))
    assert data.origin.endswith("train and test")
    assert len(data.test.labels) == 2


def test_hidden_files_and_files_that_are_not_images_are_ignored(folder: Path) -> None:
    before = datasets.load(str(folder), (3, 7))
    (folder / "labels.csv").write_text("a table")
    (folder / "train" / ".cache").mkdir()
    (folder / "train" / "README").write_text("a text")
    (folder / "train" / "3" / ".hidden.png").write_bytes(b"not an image")
    (folder / "train" / "3" / "Thumbs.db").write_bytes(b"not an image")
    (folder / "train" / "3" / "folder.png").mkdir()
    after = datasets.load(str(folder), (3, 7))
    np.testing.assert_array_equal(before.training.images, after.training.images)


def test_only_images_of_the_given_digits_are_read(folder: Path, refused: Refused) -> None:
    (folder / "train" / "5" / "0.png").write_bytes(b"not an image")
    assert set(datasets.load(str(folder), (3, 7)).training.labels) == {3, 7}
    refused("5/0.png is not an image", (3, 5))


def test_mnists_four_files_come_before_images(folder: Path, small_mnist: dict[str, bytes]) -> None:
    for name, content in small_mnist.items():
        (folder / name).write_bytes(content)
    assert len(datasets.load(str(folder), (3, 7)).training.labels) == 12
    (folder / mnist.TEST[0]).unlink()
    with pytest.raises(DataError, match="four files"):
        datasets.load(str(folder), (3, 7))


def test_a_truncated_image_is_named(folder: Path, refused: Refused) -> None:
    path = folder / "train" / "7" / "2.png"
    path.write_bytes(path.read_bytes()[:-60])
    refused(r"train/7/2.png is a broken or truncated image")


def test_a_larger_image_without_a_digit_is_named(folder: Path, refused: Refused) -> None:
    Image.new("L", (100, 100), 255).save(folder / "valid" / "3" / "9.png")
    refused("valid/3/9.png has no digit that stands out")


@pytest.mark.parametrize("part", ["train", "valid"])
def test_a_digit_without_images_is_named(folder: Path, refused: Refused, part: str) -> None:
    (folder / part / "8").mkdir()
    refused(f"{part}/8 has no images|no folder", (3, 8))
    for path in (folder / part / "3").iterdir():
        path.unlink()
    refused(f"{part}/3 has no images")
    (folder / part / "3").rmdir()
    refused(f"no folder .*{part}/3: add images")


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
    assert not image_folder.has_images(tmp_path)
    with pytest.raises(DataError, match="neither MNIST's four files nor images"):
        datasets.load(str(tmp_path), (3, 7))
    with pytest.raises(DataError, match="MNIST's files or images") as caught:
        datasets.load(str(tmp_path / "nowhere"), (3, 7))
    one_sentence(caught.value)


def test_small_images_that_are_all_dark_on_light_are_inverted(folder: Path, drawn: Images) -> None:
    for path in folder.rglob("*.png"):
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    data = datasets.load(str(folder), (3, 7), (notices := []).append)
    np.testing.assert_array_equal(data.training.images[:4], drawn[3])
    assert "inverted" in notices[0]


def test_a_dark_image_among_light_ones_is_prepared_like_a_photo(folder: Path, drawn: Images) -> None:
    Image.fromarray(255 - drawn[3][0]).save(folder / "train" / "3" / "0.png")
    images = datasets.load(str(folder), (3, 7)).training.images
    assert images[0, 0].max() == 0
    assert np.corrcoef(images[0].ravel(), drawn[3][0].ravel())[0, 1] > 0.8
    np.testing.assert_array_equal(images[1:4], drawn[3][1:])


@pytest.mark.parametrize("side", [8, 16, 32])
def test_small_images_of_another_size_are_left_unchanged(tmp_path: Path, drawn: Images, side: int) -> None:
    small = {d: np.stack([np.asarray(Image.fromarray(i).resize((side, side))) for i in x]) for d, x in drawn.items()}
    for part in ("train", "val"):
        fill(tmp_path / part, small)
    np.testing.assert_array_equal(datasets.load(str(tmp_path), (3, 5)).training.images[:4], small[3])


def test_pixels_of_0_and_1_are_stretched(folder: Path, drawn: Images) -> None:
    for path in folder.rglob("*.png"):
        Image.fromarray((np.asarray(Image.open(path)) > 127).astype(np.uint8)).save(path)
    data = datasets.load(str(folder), (3, 7), (notices := []).append)
    np.testing.assert_array_equal(data.test.images[:2], 255 * (drawn[3][:2] > 127))
    assert "from 0 to 1, so they are stretched" in notices[0]


@pytest.mark.parametrize(
    ("training", "test"), [("Train", "Test"), ("train", "val"), ("TRAINING", "validation"), ("train", "Valid")]
)
def test_other_names_of_the_parts_are_accepted(tmp_path: Path, drawn: Images, training: str, test: str) -> None:
    fill(tmp_path / training, drawn)
    fill(tmp_path / test, drawn)
    assert datasets.load(str(tmp_path), (3, 7)).origin.endswith(f"{training} and {test}")


@pytest.mark.parametrize("name", ["__MACOSX", "@eaDir", "$RECYCLE.BIN", "lost+found", ".cache"])
def test_what_systems_add_is_ignored_without_a_word(folder: Path, name: str) -> None:
    for place in (folder, folder / "train", folder / "train" / "3"):
        (place / name).mkdir()
    datasets.load(str(folder), (3, 7), (notices := []).append)
    assert notices == []


def test_other_files_are_left_out_and_counted(folder: Path) -> None:
    for name in ("train/3/notes.pdf", "train/7/clip.mpg", "valid/3/features.h5"):
        (folder / name).write_text("hello")
    data = datasets.load(str(folder), (3, 7), (notices := []).append)
    assert len(data.training.labels) == 8
    assert "3 files or folders that are not images were left out, like clip.mpg" in notices[0]


def test_all_images_that_cannot_be_read_are_named_up_to_a_few(folder: Path, refused: Refused) -> None:
    for name in ("train/3/1", "train/7/2"):
        (folder / f"{name}.png").write_bytes(b"not an image")
    refused(r"2 images cannot be used \(.*train/3/1.png is not an image.*; .*train/7/2.png is not an image")
    for path in (folder / "train").rglob("*.png"):
        path.write_bytes(b"not an image")
    refused(r"8 images cannot be used .*; and 3 more\): replace them")
