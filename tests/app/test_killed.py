"""Ended by a signal, a closed terminal or SIGKILL: the file has a complete network, and no other file is left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_mnist.runs import checkpoint

ROOT = Path(__file__).parents[2]

TRAIN = ("--data", "strokes", "--keep", "last", "--epochs", "9", "--save", "model.npz")

STARTED = """
import os, signal, sys
from tinygrad_mnist.app import main
from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.runs.run import Run

strokes.TRAINING, strokes.TEST = 60, 20
original, received = Run.after_epoch, getattr(signal, sys.argv[1], 0)  # 0 is no signal

def send(self, state):
    original(self, state)
    if state.epoch == 3:
        os.kill(os.getpid(), received)
        os.kill(os.getpid(), received)

Run.after_epoch = send
main(["train", *sys.argv[2:]])
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
    words = [sys.executable, "-c", ignore + STARTED, name, *TRAIN]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert f"after epoch {epochs}" in done.stdout
    assert "saved     model.npz" in done.stdout
    assert ("--resume model.npz" in done.stderr) != ignored
    assert checkpoint.load(tmp_path / "model.npz").state.epoch == epochs
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


CLOSED = """
import os, pty, sys, time
from pathlib import Path

child, terminal = pty.fork()
if child == 0:
    words = [*sys.argv[2:], "--epochs", "100000", "--patience", "100000"]
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[1], "none", *words])
deadline = time.monotonic() + 100
while not Path("model.npz").exists() and time.monotonic() < deadline:
    os.read(terminal, 1000)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_closed_terminal_ends_a_run_with_a_complete_file(tmp_path: Path) -> None:
    pytest.importorskip("pty")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", CLOSED, STARTED, *TRAIN]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("129\n", "")
    assert checkpoint.load(tmp_path / "model.npz").state.epoch >= 1
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
from tests.checkpoints import checkpoint_of
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.runs import checkpoint

path, moments = Path(sys.argv[1]), random.Random(0)

def save_forever(number):
    while True:
        number += 1
        layers = Layer(np.full((784, 100), number), np.zeros(100)), Layer(np.full((100, 1), number), np.zeros(1))
        checkpoint.save(checkpoint_of(layers, path=path))

reached, leftovers = 0.0, 0
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        save_forever(reached)
    while not path.exists() or checkpoint.load(path).parameters[0].w[0, 0] == reached:
        time.sleep(0.001)
    time.sleep(moments.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    left = [file.name for file in path.parent.iterdir() if file != path]
    assert len(left) <= 1 and all(name.endswith(f"-{child}.part") for name in left), left
    leftovers += len(left)
    found = checkpoint.load(path)
    reached = found.parameters[0].w[0, 0]
    assert all((layer.w == reached).all() for layer in found.parameters)
checkpoint.save(found)
assert list(path.parent.iterdir()) == [path]
print(leftovers)
"""


@pytest.mark.parametrize("times", [15, pytest.param(100, marks=pytest.mark.exhaustive)])
def test_a_process_killed_while_saving_leaves_a_complete_file(times: int, tmp_path: Path) -> None:
    """SIGKILL at random moments of saving leaves the old file or the new one, and at most one temporary file.

    A process saves increasing numbers as weights in an endless loop. The next save that is not killed leaves no
    temporary file.
    """
    words = [sys.executable, "-c", KILLED, str(tmp_path / "model.npz"), str(times)]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    assert int(done.stdout) > 0, "some processes were killed while they wrote"
