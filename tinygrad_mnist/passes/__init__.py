"""One page per operation: its forward rule, its backward rule, and how the second follows.

Read them in this order: `square` (the warm-up), `linear`, `sigmoid`, `mean_loss`, and for hidden layers and a better
loss, `relu` and `cross_entropy`. Every page has two pure functions, `forward` and `backward`, and is used by its
name, so that code reads like the mathematics:

    z = linear.forward(x, w, b)
    p = sigmoid.forward(z)
    L = mean_loss.forward(p, t)

    dp = mean_loss.backward(p, t)
    dz = sigmoid.backward(dp, p)
    dx, dw, db = linear.backward(dz, x, w)

Two pages have a third function, which training takes because it is faster: `linear.backward_to_parameters` leaves out
dx, and `mean_loss.of_logits` is the sigmoid and the loss in one.

`d` before a name is the derivative of the loss L by it: `dw` is ∂L/∂w, and has the shape and dtype of `w`.
That is the one thing that passes hand to each other: each receives the derivative by its output, and
returns the derivative by each of its inputs. Slopes of anything but L are written out, as in ∂z/∂w.
"""
