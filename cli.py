"""`python cli.py` runs from a checkout what `tinygrad-mnist` runs once it is installed."""

try:
    from tinygrad_mnist.commands import main
except KeyboardInterrupt:
    raise SystemExit(130) from None

if __name__ == "__main__":
    main(prog_name="python cli.py")
