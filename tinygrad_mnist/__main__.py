"""Run the command line as a module: `python -m tinygrad_mnist`."""

try:
    from tinygrad_mnist.app import main
except KeyboardInterrupt:
    raise SystemExit(130) from None

if __name__ == "__main__":
    main(prog_name="python -m tinygrad_mnist")
