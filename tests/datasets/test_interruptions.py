"""Two programs at once, the plug pulled, a disk that says no: what lies on the disk is whole, or not there."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import files
from tinygrad_mnist.datasets import idx, mnist, stroke_cache
from tinygrad_mnist.errors import DataError

ROOT = Path(__file__).parents[2]
Contents = dict[str, bytes]


def at_once(work: Callable[[], object], count: int) -> list[BaseException]:
    """Do the work in several threads that start together; return what was raised."""
    barrier, raised = threading.Barrier(count), list[BaseException]()

    def start() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=start) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.parametrize("before", ["nothing", "broken files"])
def test_programs_that_download_into_one_folder_do_not_spoil_it(
    before: str, tmp_path: Path, small_mnist: Contents, mirror: str
) -> None:
    if before == "broken files":
        for name, content in small_mnist.items():
            (tmp_path / name).write_bytes(content[:-1])
    told: list[str] = []
    assert at_once(lambda: mnist.read_own(tmp_path, [mirror + "good/"], told.append), 4) == []
    assert told == [], "what another program downloaded is not taken for another data set"
    assert {name: (tmp_path / name).read_bytes() for name in small_mnist} == small_mnist
    assert set(mnist.origins(tmp_path)) == set(mnist.FILES)


def test_programs_that_draw_into_one_folder_do_not_spoil_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stroke_cache, "TRAINING", 30)
    monkeypatch.setattr(stroke_cache, "TEST", 10)
    drawn: list[Any] = []
    assert at_once(lambda: drawn.append(stroke_cache.keep(tmp_path, 3)), 4) == []
    assert all((images == drawn[0]).all() for images in drawn)
    assert [path.name for path in tmp_path.iterdir()] == [stroke_cache.path(tmp_path, 3).name]


KILLED = """
import json, os, random, signal, sys, time
from pathlib import Path
from tinygrad_mnist.datasets import mnist

mirror, folder, moments = sys.argv[1], Path(sys.argv[2]), random.Random(0)
official = json.load(sys.stdin)
mnist.SHA256.update(official["sha256"])
mnist.SHAPES.update({name: tuple(shape) for name, shape in official["shapes"].items()})
mnist.read_own(folder / "first", [mirror], print)  # imports what is slow, before any child is born
begun = time.perf_counter()
mnist.read_own(folder / "second", [mirror], print)
whole = time.perf_counter() - begun

found = []
for round in range(100):
    there = folder / str(round)
    child = os.fork()
    if child == 0:
        mnist.read_own(there, [mirror], print)
        signal.pause()
    while sum((there / name).exists() for name in mnist.SHAPES) < round % 4:
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "the download ended by itself"
        time.sleep(0.0001)
    time.sleep(moments.uniform(0, whole / 4))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    states = mnist.state(there)
    found.append(sum(state == "verified" for state in states.values()))
    assert set(states.values()) <= {"verified", "missing"}, states
    if round % 20 == 0:
        mnist.read_own(there, [mirror], print)
        assert set(mnist.state(there).values()) == {"verified"}
print(json.dumps(found))
"""


def test_killed_a_hundred_times_while_downloading_every_file_is_whole_or_missing(
    tmp_path: Path, small_mnist: Contents, mirror: str
) -> None:
    """SIGKILL at 100 random moments of downloading: no file was ever a part, and the next download went well.

    A moment is a random time after none, one, two or three of the files are there, so that the moments differ on a
    machine of any speed.
    """
    official = {
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in small_mnist.items()},
        "shapes": {name: mnist.SHAPES[name] for name in small_mnist},
    }
    words = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", KILLED, mirror + "good/", str(tmp_path)]
    said = subprocess.run(words, cwd=ROOT, input=json.dumps(official), capture_output=True, text=True, check=True)
    found = json.loads(said.stdout)
    assert len(set(found)) > 2, "it was killed at moments that differ"


def full(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    tmp_path: Path,
    small_mnist: Contents,
    mirror: str,
    monkeypatch: pytest.MonkeyPatch,
    one_sentence: Callable[[object], None],
) -> None:
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(DataError, match="No space left") as caught:
        mnist.read_own(tmp_path, [mirror + "good/"], print)
    one_sentence(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_strokes_are_drawn_even_where_they_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "fsync", full)
    monkeypatch.setattr(stroke_cache, "TRAINING", 30)
    monkeypatch.setattr(stroke_cache, "TEST", 10)
    told: list[str] = []
    training, test = stroke_cache.load(tmp_path, (3, 7), told.append)
    assert (len(training.labels), len(test.labels)) == (60, 20)
    assert all("No space left" in text for text in told)
    assert list(tmp_path.iterdir()) == []


def test_a_limit_on_file_sizes_is_one_sentence(tmp_path: Path) -> None:
    """The nearest to a full disk that a test can have without being root: the system itself stops the writing."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "images"
    program = (
        "import sys, numpy as np; from pathlib import Path; from tinygrad_mnist.datasets import idx\n"
        "try: idx.write(Path(sys.argv[1]), np.zeros((100, 28, 28), np.uint8))\n"
        "except OSError as error: print(error.strerror)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_images_that_were_written_are_read_again(tmp_path: Path) -> None:
    images = np.arange(3 * 784, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
    idx.write(tmp_path / "images", images)
    np.testing.assert_array_equal(idx.read(tmp_path / "images"), images)
