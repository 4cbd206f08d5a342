"""Run the command line from a checkout: `python cli.py` does what `tinygrad-mnist` does after installation."""

import sys
from pathlib import Path

# With PYTHONSAFEPATH=1, Python does not look for modules next to the program.
if (folder := str(Path(__file__).resolve().parent)) not in sys.path:
    sys.path.insert(0, folder)

try:
    from tinygrad_mnist.app import main
except KeyboardInterrupt:
    raise SystemExit(130) from None

if __name__ == "__main__":
    main(prog_name="python cli.py")
