"""Run the command line from a checkout: `python cli.py` does what `tinygrad-mnist` does after installation."""

try:
    from tinygrad_mnist.commands import main
except KeyboardInterrupt:
    raise SystemExit(130) from None

if __name__ == "__main__":
    main(prog_name="python cli.py")
