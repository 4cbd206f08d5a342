"""A tiny neural-network framework in NumPy, with CuPy for the GPU and no autograd.

Start reading at `tinygrad_mnist.passes`: one page per operation, each with its derivation.
"""

__version__ = "0.1.0"
