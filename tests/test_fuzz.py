"""Bad inputs made of good ones: whatever is read from outside is taken, or refused in one sentence.

    7,500 IDX files, 3,000 checkpoints, 3,000 command lines here; pictures in datasets/test_images.py

Bits are flipped, parts cut out, doubled, overwritten and shuffled, and sizes in headers made to lie. Each kind's
finding stands in its test.
"""

import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import click
import numpy as np
import pytest

from tinygrad_mnist import checkpoint, presets, train
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.datasets import idx
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.progress import Progress
from tinygrad_mnist.train import Examples, Settings

EXTREMES = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", b"\xff\xff\xff\x7f"]


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Return the content with one to three changes; most often near its start, where headers are."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        if not changed:
            break
        first = int(rng.integers(min(len(changed), 64) if rng.random() < 0.6 else len(changed)))
        last = first + int(rng.integers(1, 17))
        match rng.integers(7):
            case 0:
                changed[first] ^= 1 << int(rng.integers(8))
            case 1:
                changed[first:last] = rng.bytes(last - first)
            case 2:
                del changed[first:last]
            case 3:
                changed[first:first] = changed[first:last]
            case 4:
                del changed[first:]
            case 5:
                changed[first : first + 4] = EXTREMES[int(rng.integers(len(EXTREMES)))]
            case 6:
                other = int(rng.integers(len(changed)))
                changed[first:last], changed[other : other + 8] = changed[other : other + 8], changed[first:last]
    return bytes(changed)


@pytest.fixture
def memory() -> Iterator[Callable[[int], None]]:
    """A check that no more bytes were taken since the last one, at any moment, than are allowed."""
    tracemalloc.start()

    def check(allowed: int) -> None:
        assert tracemalloc.get_traced_memory()[1] - before[0] <= allowed
        tracemalloc.reset_peak()
        before[0] = tracemalloc.get_traced_memory()[0]

    before = [tracemalloc.get_traced_memory()[0]]
    yield check
    tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files(
    packed: bool, tmp_path: Path, one_sentence: Callable[[object], None], memory: Callable[[int], None]
) -> None:
    """7,500 files, plain (5,000) and gzipped (2,500): each gives an array as large as it says, or one sentence.

    Finding: none; headers that claim up to 2^32 along each axis are refused before memory is taken.
    """
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        np.arange(40, dtype=np.uint8),
        rng.standard_normal((3, 4)).astype(">f8"),
        np.array([[1, -2]], dtype=">i2"),
    ]
    good = [idx.header(array) + array.tobytes() for array in arrays]
    path, taken = tmp_path / "file", 0
    for number in range(2500 if packed else 5000):
        content = good[number % len(good)]
        if packed:
            # Half of them are broken inside of a good wrapper.
            content = mutated(gzip.compress(content), rng) if number % 2 else gzip.compress(mutated(content, rng))
        else:
            content = mutated(content, rng)
        path.write_bytes(content)
        try:
            array = idx.read(path)
        except DataError as error:
            one_sentence(error)
        else:
            assert array.nbytes <= len(content) * (idx.GZIP_EXPANSION if packed else 1)
            taken += 1
            del array
        memory(500_000 + len(content) * (idx.GZIP_EXPANSION if packed else 1))
    assert taken > 100, "some changes do no harm"


def kept(path: Path) -> bytes:
    """Return a good checkpoint of a training with momentum."""
    settings = Settings(hidden=(5,), step="momentum", learning_rate=0.1, epochs=1, seed=3)
    rng = np.random.default_rng(0)
    examples = Examples(rng.integers(0, 256, (20, 9), dtype=np.uint8), np.arange(20), rng.integers(0, 2, (20, 1)))
    epoch = train.train(examples, examples, settings).last
    progress = Progress(presets.Preset(settings), "0" * 64, epoch)
    checkpoint.save(path, Checkpoint(epoch.parameters, (3, 7), 3, progress))
    return path.read_bytes()


def test_checkpoints(tmp_path: Path, one_sentence: Callable[[object], None], memory: Callable[[int], None]) -> None:
    """3,000 files: each gives a network that can be used and saved again, or one sentence; nothing in it is run.

    Finding: an entry that said to be larger than its file had so much memory taken for it before it was refused.
    """
    path, rng = tmp_path / "network.npz", np.random.default_rng(0)
    good = kept(path)
    taken = 0
    for _ in range(3000):
        path.write_bytes(mutated(good, rng))
        try:
            loaded = checkpoint.load(path)
        except CheckpointError as error:
            one_sentence(error)
        else:
            checkpoint.save(path, loaded)
            assert loaded.layer_sizes == (9, 5, 1)
            taken += 1
        memory(500_000)
    assert taken > 10, "some changes do no harm"


GOOD = {
    "--digits": "1,4-6",
    "--hidden": "300,100",
    "--loss": "cross-entropy",
    "--step": "momentum",
    "--learning-rate": "0.1",
    "--schedule": "cosine",
    "--batch": "64",
    "--epochs": "60",
    "--patience": "10",
    "--keep": "last",
    "--hold-out": "0.25",
    "--seed": "42",
    "--dtype": "float64",
    "--preset": "best",
}


def test_command_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """3,000 values of options: each is refused as bad usage, on one line, or means settings that can be trained.

    Finding: none.
    """
    module = import_module("tinygrad_mnist.commands.train")
    command = module.train
    begun: list[Settings] = []
    said: list[str] = []

    def note(training: object, data: object, place: object, save: object, tell: object) -> train.Trained:
        begun.append(training.chosen.settings)  # type: ignore[attr-defined]
        raise click.Abort

    monkeypatch.setattr(module, "_trained", note)
    monkeypatch.setattr(module.datasets, "load", lambda *_: None)
    rng = np.random.default_rng(0)
    names = list(GOOD)
    for number in range(3000):
        name = names[number % len(names)]
        value = mutated(GOOD[name].encode(), rng).decode("latin-1")
        try:
            with command.make_context("train", [f"{name}={value}"]) as context:
                command.invoke(context)
        except click.UsageError as error:
            said.append(error.format_message().replace(value, ""))
        except click.Abort:
            pass
    assert not any("\n" in text for text in said)
    assert len(begun) > 100, "some changes do no harm"
