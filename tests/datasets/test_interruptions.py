"""Two programs at once, a killed program, a full disk: every file is complete or does not exist."""

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


def run_in_threads(work: Callable[[], object], count: int) -> list[BaseException]:
    """Do the work in several threads that start together, and return the exceptions."""
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
def test_programs_can_download_into_the_same_folder_at_once(
    before: str, tmp_path: Path, small_mnist: Contents, mirror: str
) -> None:
    if before == "broken files":
        for name, content in small_mnist.items():
            (tmp_path / name).write_bytes(content[:-1])
    notices: list[str] = []
    assert run_in_threads(lambda: mnist.read_or_download(tmp_path, [mirror + "good/"], notices.append), 4) == []
    assert notices == [], "another program's download is not mistaken for another data set"
    assert {name: (tmp_path / name).read_bytes() for name in small_mnist} == small_mnist
    assert set(mnist.origins(tmp_path)) == set(mnist.FILES)


def test_another_data_set_that_was_renamed_earlier_is_kept(tmp_path: Path, small_mnist: Contents, mirror: str) -> None:
    name = mnist.TRAINING[0]
    others = [small_mnist[name][:-1] + bytes([number]) for number in range(3)]
    notices: list[str] = []
    for other in others:
        for each, content in {**small_mnist, name: other}.items():
            (tmp_path / each).write_bytes(content)
        mnist.read_or_download(tmp_path, [mirror + "good/"], notices.append)
    endings = (".not-mnist", ".not-mnist-2", ".not-mnist-3")
    assert [(tmp_path / f"{name}{ending}").read_bytes() for ending in endings] == others
    assert all(text.endswith(f"{name}{ending}.") for text, ending in zip(notices, endings, strict=True))
    assert {path.name for path in tmp_path.iterdir()} == {
        *mnist.FILES,
        name + mnist.ORIGIN,
        *(name + e for e in endings),
    }


@pytest.mark.parametrize("links", [True, False])
def test_a_second_program_never_replaces_a_renamed_file(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without hard links. If a program was killed while it renamed a file, the next one continues."""
    path = tmp_path / "images"
    path.write_bytes(b"first")
    if links:
        (tmp_path / "images.not-mnist").hardlink_to(path)
    else:
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError()))
    assert mnist._move_aside(path).name == "images.not-mnist"
    path.write_bytes(b"second")
    assert mnist._move_aside(path).name == "images.not-mnist-2"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "images.not-mnist": b"first",
        "images.not-mnist-2": b"second",
    }


def test_programs_can_draw_into_the_same_folder_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stroke_cache, "TRAINING", 30)
    monkeypatch.setattr(stroke_cache, "TEST", 10)
    drawn: list[Any] = []
    assert run_in_threads(lambda: drawn.append(stroke_cache.ensure_saved(tmp_path, 3)), 4) == []
    assert all((images == drawn[0]).all() for images in drawn)
    assert [path.name for path in tmp_path.iterdir()] == [stroke_cache.path(tmp_path, 3).name]


KILLED_DOWNLOADS = """
import json, os, random, signal, sys, time
from pathlib import Path
from tinygrad_mnist.datasets import mnist

mirror, folder, delays = sys.argv[1], Path(sys.argv[2]), random.Random(0)
official = json.load(sys.stdin)
mnist.SHA256.update(official["sha256"])
mnist.SHAPES.update({name: tuple(shape) for name, shape in official["shapes"].items()})
mnist.read_or_download(folder / "first", [mirror], print)  # does the slow imports before the first fork
start = time.perf_counter()
mnist.read_or_download(folder / "second", [mirror], print)
duration = time.perf_counter() - start

def leftovers(folder):
    names = {name + ending for name in mnist.SHAPES for ending in ("", mnist.ORIGIN)}
    return [path.name for path in folder.glob("*") if path.name not in names]

counts = []
for round in range(100):
    target = folder / str(round)
    child = os.fork()
    if child == 0:
        mnist.read_or_download(target, [mirror], print)
        signal.pause()
    while sum((target / name).exists() for name in mnist.SHAPES) < round % 4:
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "the download ended before it was killed"
        time.sleep(0.0001)
    time.sleep(delays.uniform(0, duration / 4))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    states = mnist.state(target)
    counts.append(sum(state == "verified" for state in states.values()))
    assert set(states.values()) <= {"verified", "missing"}, states
    assert len(leftovers(target)) <= 1
    if round % 20 == 0 or leftovers(target):
        mnist.read_or_download(target, [mirror], print)
        assert set(mnist.state(target).values()) == {"verified"}
        assert not leftovers(target)
print(json.dumps(counts))
"""


def test_after_a_hundred_killed_downloads_every_file_is_complete_or_missing(
    tmp_path: Path, small_mnist: Contents, mirror: str
) -> None:
    """SIGKILL at 100 random times during a download: no file is ever incomplete, and the next download succeeds.

    A killed download leaves at most one temporary file, and the next one deletes it.

    The program is killed a random time after zero, one, two or three files exist, so that the times differ on a machine
    of any speed.
    """
    official = {
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in small_mnist.items()},
        "shapes": {name: mnist.SHAPES[name] for name in small_mnist},
    }
    python = [sys.executable, "-W", "ignore::DeprecationWarning", "-c"]
    command = [*python, KILLED_DOWNLOADS, mirror + "good/", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, input=json.dumps(official), capture_output=True, text=True, check=True)
    counts = json.loads(result.stdout)
    assert len(set(counts)) > 2, "it was killed at different times"


def fail_on_full_disk(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_reported_in_one_sentence_and_leaves_no_files(
    tmp_path: Path,
    small_mnist: Contents,
    mirror: str,
    monkeypatch: pytest.MonkeyPatch,
    one_sentence: Callable[[object], None],
) -> None:
    monkeypatch.setattr(files.os, "fsync", fail_on_full_disk)
    with pytest.raises(DataError, match="No space left") as caught:
        mnist.read_or_download(tmp_path, [mirror + "good/"], print)
    one_sentence(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_digits_are_drawn_even_if_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "fsync", fail_on_full_disk)
    monkeypatch.setattr(stroke_cache, "TRAINING", 30)
    monkeypatch.setattr(stroke_cache, "TEST", 10)
    notices: list[str] = []
    training, test = stroke_cache.load(tmp_path, (3, 7), notices.append)
    assert (len(training.labels), len(test.labels)) == (60, 20)
    assert all("No space left" in text for text in notices)
    assert list(tmp_path.iterdir()) == []


def test_a_limit_on_file_sizes_leaves_no_files(tmp_path: Path) -> None:
    """The closest to a full disk that a test can get without being root: the system itself stops the write."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "images"
    program = (
        "import sys, numpy as np; from pathlib import Path; from tinygrad_mnist.datasets import idx\n"
        "try: idx.write(Path(sys.argv[1]), np.zeros((100, 28, 28), np.uint8))\n"
        "except OSError as error: print(error.strerror)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_written_images_can_be_read(tmp_path: Path) -> None:
    images = np.arange(3 * 784, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
    idx.write(tmp_path / "images", images)
    np.testing.assert_array_equal(idx.read(tmp_path / "images"), images)
