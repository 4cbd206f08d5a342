"""Ended by a signal, a closed terminal or SIGKILL: the file has a complete network, and no other file is left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_mnist.runs import checkpoint

ROOT = Path(__file__).parents[2]

STARTED = """
import os, signal, sys
from tinygrad_mnist import datasets
from tinygrad_mnist.app import main
from tinygrad_mnist.datasets import stroke_cache
from tinygrad_mnist.runs.run import Watch

stroke_cache.TRAINING, stroke_cache.TEST = 120, 30
original, received = Watch.__call__, getattr(signal, sys.argv[1])

def send(self, state):
    original(self, state)
    if state.epoch == 3:
        os.kill(os.getpid(), received)
        os.kill(os.getpid(), received)

Watch.__call__ = send
main(["train", "--data", "strokes", "--keep", "last", "--epochs", "9", "--save", "model.npz"])
"""


@pytest.mark.parametrize(
    ("name", "ignored", "code", "epochs"),
    [("SIGTERM", False, 143, 3), ("SIGHUP", False, 129, 3), ("SIGHUP", True, 0, 9)],
)
def test_a_signal_ends_a_run_as_ctrl_c_does_unless_it_is_ignored(
    name: str, ignored: bool, code: int, epochs: int, tmp_path: Path
) -> None:
    """It is sent twice, as a terminal that is closed and its shell do."""
    ignore = f"import signal; signal.signal(signal.{name}, signal.SIG_IGN)\n" if ignored else ""
    words = [sys.executable, "-c", ignore + STARTED, name]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert f"after epoch {epochs}" in done.stdout
    assert "saved     model.npz" in done.stdout
    assert ("--resume model.npz" in done.stderr) != ignored
    loaded = checkpoint.load(tmp_path / "model.npz")
    assert loaded.training is not None
    assert loaded.training.state.epoch == epochs
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.npz"]


CLOSED = """
import os, pty, sys, time
from pathlib import Path

child, terminal = pty.fork()
if child == 0:
    words = ["train", "--data", "strokes", "--keep", "last", "--epochs", "100000", "--patience", "100000"]
    os.execv(sys.executable, [sys.executable, sys.argv[1], *words, "--save", "model.npz"])
deadline = time.monotonic() + 100
while not Path("model.npz").exists() and time.monotonic() < deadline:
    os.read(terminal, 1000)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_closed_terminal_ends_a_run_with_a_complete_file(tmp_path: Path) -> None:
    pytest.importorskip("pty")
    words = [sys.executable, "-c", CLOSED, str(ROOT / "cli.py")]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("129\n", "")
    assert checkpoint.load(tmp_path / "model.npz").training is not None
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.npz"]


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.arrays.layers import Layer

path, moments = Path(sys.argv[1]), random.Random(0)

def save_forever(number, pipe):
    while True:
        layers = Layer(np.full((784, 100), number), np.zeros(100)), Layer(np.full((100, 1), number), np.zeros(1))
        checkpoint.save(path, Checkpoint(layers, (3, 7), int(number)))
        os.write(pipe, b"%d " % number)
        number += 1

reached = leftovers = 0
for _ in range(int(sys.argv[2])):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        save_forever(float(reached + 1), writing)
    os.close(writing)
    first = os.read(reading, 100)
    time.sleep(moments.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        last = int((first + pipe.read()).split()[-1])
    left = [file.name for file in path.parent.iterdir() if file != path]
    assert left in ([], [".model.npz.part"]), left
    leftovers += len(left)
    found = checkpoint.load(path)
    reached = found.seed
    assert reached in (last, last + 1), (reached, last)
    assert all((layer.w == reached).all() for layer in found.parameters)
checkpoint.save(path, found)
assert list(path.parent.iterdir()) == [path]
print(leftovers)
"""


def test_a_process_killed_while_saving_leaves_a_complete_file(tmp_path: Path) -> None:
    """SIGKILL at 100 random moments of saving leaves the old file or the new one, and at most one temporary file.

    A process saves increasing numbers as weights in an endless loop, and reports each after it has saved it. After it
    was killed, the file must hold the last number that it reported, or the next one. The next save that is not killed
    leaves no temporary file.
    """
    words = [sys.executable, "-c", KILLED, str(tmp_path / "model.npz"), "100"]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    assert int(done.stdout) > 0, "some processes were killed while they wrote"
