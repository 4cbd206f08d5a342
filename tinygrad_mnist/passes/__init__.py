"""One page per operation: its forward rule, its backward rule, and how the second follows from the first.

Read them in this order: `square` (the warm-up), `linear`, `sigmoid` and `mean_loss`; then `relu` and `cross_entropy`
for hidden layers and a better loss, and `first_linear`, which takes images as they are stored. The other pages are for
looking up: `squared_error` and `softmax_cross_entropy`, `tanh`, `broadcast`, `patches` (with which linear is a
convolution) and `max_pool`, `layer_norm` and `batch_norm`.

Every page has two pure functions, `forward` and `backward`. Call them by their page's name, and code reads like the
mathematics:

>>> import numpy as np
>>> from tinygrad_mnist.passes import linear, mean_loss, sigmoid
>>> x, w, b, t = np.ones((2, 3)), np.zeros((3, 1)), np.zeros(1), np.array([[0], [1]])
>>> z = linear.forward(x, w, b)
>>> p = sigmoid.forward(z)
>>> L = mean_loss.forward(p, t)
>>> dp = mean_loss.backward(p, t)
>>> dz = sigmoid.backward(dp, p)
>>> dx, dw, db = linear.backward(dz, x, w)

`d` before a name is the derivative of the loss L with respect to it: `dw` is ∂L/∂w, and has the shape and dtype of
`w`. Each backward receives the derivative of L with respect to its output, and returns the derivative of L with respect
to each of its inputs. Derivatives of anything but L are written out, as in ∂z/∂w.

All pages use one rule, the chain rule. If L depends on x through u and also through v, a small change of x reaches L
along both paths, and the effects add up:

    ∂L/∂x = ∂L/∂u * ∂u/∂x + ∂L/∂v * ∂v/∂x

For example, let `u = x^2`, let `v = 3 x` and let `L = u v`. The four derivatives are `∂L/∂u = v`, `∂u/∂x = 2 x`,
`∂L/∂v = u` and `∂v/∂x = 3`, so `∂L/∂x = 3 x * 2 x + x^2 * 3 = 9 x^2`. At 2, that is 36. Nudging x confirms it:

>>> def L(x):
...     u, v = x**2, 3 * x
...     return u * v
>>> round((L(2.001) - L(1.999)) / 0.002, 4)
36.0

In the pages, every entry in the output of a pass is a path of its own, and the sum runs over all of them.
"""
