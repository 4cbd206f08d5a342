"""Thousands of damaged inputs, made from good ones: each is accepted, or refused in one sentence.

Bits are flipped, parts are cut out, doubled, overwritten and exchanged, and headers claim wrong sizes. Damaged pictures
are tested in datasets/.
"""

import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pytest
from tinygrad_mnist.runs.saved_training import SavedTraining

from tinygrad_mnist import train
from tinygrad_mnist.app import train_command
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.datasets import idx
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.runs.resume import Run
from tinygrad_mnist.runs.settings import RunSettings
from tinygrad_mnist.train import Settings

EXTREMES = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", b"\xff\xff\xff\x7f"]


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Return the content with one to three changes, most of them near its start, where headers are."""
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
    """A check that at no time since the last check was more memory in use than is allowed, in bytes."""
    tracemalloc.start()

    def check(allowed: int) -> None:
        assert tracemalloc.get_traced_memory()[1] - before[0] <= allowed
        tracemalloc.reset_peak()
        before[0] = tracemalloc.get_traced_memory()[0]

    before = [tracemalloc.get_traced_memory()[0]]
    yield check
    tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_idx_file_gives_an_array_or_one_sentence(
    packed: bool, tmp_path: Path, one_sentence: Callable[[object], None], memory: Callable[[int], None]
) -> None:
    """An array is at most as large as its file, and a header that claims more is refused before memory is allocated."""
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        np.arange(40, dtype=np.uint8),
        rng.standard_normal((3, 4)).astype(">f8"),
        np.array([[1, -2]], dtype=">i2"),
    ]
    good = [idx.header(array) + array.tobytes() for array in arrays]
    path, accepted = tmp_path / "file", 0
    for number in range(1000 if packed else 2000):
        content = good[number % len(good)]
        if packed:
            # Half of them are damaged inside an intact gzip wrapper.
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
            accepted += 1
            del array
        memory(500_000 + len(content) * (idx.GZIP_EXPANSION if packed else 1))
    assert accepted > 100, "some changes do no harm"


def saved(path: Path) -> bytes:
    """Return an intact checkpoint of a training run with momentum."""
    settings = Settings(hidden=(5,), optimizer="momentum", learning_rate=0.1, epochs=1, seed=3)
    rng = np.random.default_rng(0)
    examples = Examples(rng.integers(0, 256, (20, 9), dtype=np.uint8), np.arange(20), rng.integers(0, 2, (20, 1)))
    state = train.train(examples, examples, settings).last
    training = SavedTraining(RunSettings(settings), "0" * 64, state)
    checkpoint.save(path, Checkpoint(state.parameters, (3, 7), 3, training))
    return path.read_bytes()


def test_a_damaged_checkpoint_gives_a_network_or_one_sentence(
    tmp_path: Path, one_sentence: Callable[[object], None], memory: Callable[[int], None]
) -> None:
    """The network can be saved again, and an entry that claims to be larger than its file takes no memory."""
    path, rng = tmp_path / "network.npz", np.random.default_rng(0)
    good = saved(path)
    accepted = 0
    for _ in range(1000):
        path.write_bytes(mutated(good, rng))
        try:
            loaded = checkpoint.load(path)
        except CheckpointError as error:
            one_sentence(error)
        else:
            checkpoint.save(path, loaded)
            assert loaded.layer_sizes == (9, 5, 1)
            accepted += 1
        memory(500_000)
    assert accepted > 10, "some changes do no harm"


GOOD = {
    "--digits": "1,4-6",
    "--hidden": "300,100",
    "--loss": "cross-entropy",
    "--optimizer": "momentum",
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


def test_a_damaged_option_is_refused_on_one_line_or_gives_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Settings] = []
    refusals: list[str] = []

    def stop(run: Run, _: object) -> None:
        """Stop the command when its settings have been accepted, before it trains."""
        started.append(run.settings.training)
        raise click.Abort

    monkeypatch.setattr(train_command, "split", stop)
    monkeypatch.setattr(train_command.datasets, "load", lambda *_: SimpleNamespace(training=None))
    rng = np.random.default_rng(0)
    names = list(GOOD)
    for number in range(1500):
        name = names[number % len(names)]
        value = mutated(GOOD[name].encode(), rng).decode("latin-1")
        try:
            with train_command.train.make_context("train", [f"{name}={value}"]) as context:
                train_command.train.invoke(context)
        except click.UsageError as error:
            refusals.append(error.format_message().replace(value, ""))
        except click.Abort:
            pass
    assert not any("\n" in text for text in refusals)
    assert len(started) > 100, "some changes do no harm"
