"""`python cli.py` runs from a checkout what `tinygrad-mnist` runs once it is installed."""

from tinygrad_mnist.commands import main

if __name__ == "__main__":
    main(prog_name="python cli.py")
