"""Bugs to plant in the pages that people look up: the function, the line, the wrong line, and what is wrong with it."""

_MEAN, _VARIANCE = " - xp.mean(du, axis=1, keepdims=True)", " - u * xp.mean(du * u, axis=1, keepdims=True)"

PAGE_BUGS = {
    "missing-square-slope": (
        "passes.squared_error.backward",
        "2 * (y - t)",
        "(y - t)",
        "The factor 2 in the slope of the square is missing.",
    ),
    "mean-over-rows": (
        "passes.squared_error.backward",
        "n = math.prod(y.shape)",
        "n = y.shape[0]",
        "The squared error is averaged over the rows instead of all entries.",
    ),
    "softmax-over-rows": (
        "passes.softmax_cross_entropy.backward",
        "p = softmax(z)",
        "p = softmax(z.T).T",
        "The softmax runs over the rows instead of the classes.",
    ),
    "mean-over-entries": (
        "passes.softmax_cross_entropy.backward",
        "N = z.shape[0]",
        "N = z.shape[0] * z.shape[1]",
        "The softmax cross-entropy is averaged over all entries instead of the rows.",
    ),
    "diagonal-jacobian": (
        "passes.softmax_cross_entropy.backward",
        "(p - t)",
        "t * (p - 1)",
        "Only the diagonal of the softmax's Jacobian is used, as if every probability depended on its own logit only.",
    ),
    "hardened-targets": (
        "passes.softmax_cross_entropy.backward",
        "t = _probabilities(z, t)",
        "t = array_namespace(z).round(_probabilities(z, t))",
        "Probabilities are rounded to 0 or 1.",
    ),
    "slope-of-sigmoid": (
        "passes.tanh.backward",
        "(1 - h) * (1 + h)",
        "h * (1 - h)",
        "The slope of tanh is taken to be that of the sigmoid, h (1 - h).",
    ),
    "slope-at-h": (
        "passes.tanh.backward",
        "(1 - h) * (1 + h)",
        "(1 - array_namespace(h).tanh(h) ** 2)",
        "The slope of tanh is computed from h as if h were z.",
    ),
    "mean-of-copies": (
        "passes.broadcast.backward",
        "xp.sum(dy, axis=copied)",
        "xp.mean(dy, axis=copied)",
        "The derivatives of the copies are averaged instead of summed.",
    ),
    "first-copy": (
        "passes.broadcast.backward",
        "xp.sum(dy, axis=copied)",
        "1 * dy[tuple(0 if axis in copied else slice(None) for axis in range(dy.ndim))]",
        "Only the first of the copies counts.",
    ),
    "last-patch": (
        "passes.patches.backward",
        "+= group",
        "= group",
        "Where patches overlap, the last one overwrites the others instead of being added.",
    ),
    "exchanged-offsets": (
        "passes.patches.backward",
        "(0, 1, 3, 2, 4, 5)",
        "(0, 1, 4, 2, 3, 5)",
        "Rows and columns of a patch are exchanged.",
    ),
    "divided-overlaps": (
        "passes.patches.backward",
        "dx = dx[:, :H, :W, :]",
        "dx = dx[:, :H, :W, :] / k**2",
        "The sum over patches that overlap is divided by how many of them can overlap.",
    ),
    "all-win": (
        "passes.max_pool.backward",
        "share * won_here",
        "dh",
        "Every pixel of a block gets the gradient, and not only the winner.",
    ),
    "largest-size-wins": (
        "passes.max_pool.backward",
        "h = forward(x, size)",
        "x = array_namespace(x).abs(x)\n    h = forward(x, size)",
        "The winner is the pixel with the largest absolute value.",
    ),
    "constant-mean": (
        "passes.layer_norm.backward",
        _MEAN,
        "",
        "The path through the mean of the row is forgotten.",
    ),
    "constant-variance": (
        "passes.layer_norm.backward",
        _VARIANCE,
        "",
        "The path through the variance of the row is forgotten.",
    ),
    "gamma-forgotten": (
        "passes.layer_norm.backward",
        "du = dy * gamma",
        "du = 1 * dy",
        "The gradient does not pass through gamma on its way to x.",
    ),
    "statistics-held-fixed": (
        "passes.batch_norm.backward",
        "dx = s * (du - xp.mean(du, axis=0) - u * xp.mean(du * u, axis=0))",
        "dx = s * du",
        "The mean and the variance of the batch are held fixed, which is right in predictions only.",
    ),
    "rows-for-columns": (
        "passes.batch_norm.backward",
        "xp.mean(du, axis=0)",
        "xp.mean(du, axis=1, keepdims=True)",
        "The batch norm takes the mean over the rows, as a layer norm does.",
    ),
    "x-not-normalized": (
        "passes.batch_norm.backward",
        "xp.sum(dy * u, axis=0)",
        "xp.sum(dy * x, axis=0)",
        "The gradient of gamma is computed from x instead of the normalized x.",
    ),
}
