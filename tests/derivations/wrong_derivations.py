"""Wrong derivations: mistakes that people make on paper, as replacements in the pages' own docstrings.

Each has the page, the text that is replaced, which occurs there exactly once, and the text that takes its place.
"""

WRONG_DERIVATIONS = [
    # The package: the chain rule
    ("__init__", "∂L/∂u * ∂u/∂x + ∂L/∂v", "∂L/∂u * ∂u/∂x - ∂L/∂v"),  # a sign
    ("__init__", "* ∂u/∂x + ∂L/∂v * ∂v/∂x", "* ∂u/∂x"),  # a path forgotten
    ("__init__", "`∂L/∂u = v`", "`∂L/∂u = u`"),  # the factors exchanged
    ("__init__", "x^2 * 3 = 9 x^2", "x^2 * 3 = 6 x^2"),
    # Square
    ("square", "/ h = 2x + h`", "/ h = 2x - h`"),
    ("square", "2 x[i] if j = i, 0", "x[i] if j = i, 0"),  # a factor forgotten
    ("square", "2 x[i] if j = i, 0", "2 x[i] if j ≠ i, 0"),  # the cases exchanged
    ("square", "sum_j ∂L/∂y[j] * ∂y[j]/∂x[i]", "∂L/∂y[j] * ∂y[j]/∂x[i]"),  # a sum forgotten
    ("square", "= dy[i] * 2 x[i]", "= dy[i] * 2 x[i]^2"),
    ("square", "dx = dy * 2 * x\n\n", "dx = dy * x\n\n"),
    # Linear
    ("linear", "sum_i x[n,i] w[i,o] + b[o]", "sum_i x[n,i] w[o,i] + b[o]"),  # indices exchanged
    ("linear", "sum_i x[n,i] w[i,o] + b[o]", "x[n,i] w[i,o] + b[o]"),  # a sum forgotten
    ("linear", "sum_i x[n,i] w[i,o] + b[o]", "sum_i x[n,i] w[i,o] - b[o]"),  # a sign
    ("linear", "sum_i x[n,i] w[i,o] + b[o]", "sum_i x[n,i] w[i,o] + b[n]"),  # an index
    ("linear", "x11 w12 + x12 w22 + b2 )", "x11 w12 + x12 w22 + b1 )"),
    ("linear", "( x21 w11 + x22 w21 + b1", "( x12 w11 + x22 w21 + b1"),
    ("linear", "`dw11 = x11 dz11 + x21 dz21`", "`dw11 = x11 dz11 + x12 dz12`"),  # a row for a column
    ("linear", "( x12 dz11 + x22 dz21    x12", "( x12 dz11 + x22 dz12    x12"),
    ("linear", "= ( x11  x21 ) @ ( dz11", "= ( x11  x12 ) @ ( dz11"),  # a matrix
    ("linear", "( dz21  dz22 )\n", "( dz12  dz22 )\n"),
    ("linear", "( dz11  dz12 ) = x.T @ dz", "( dz11  dz12 ) = x @ dz"),  # not transposed
    ("linear", "dw[i,o] = ∂L/∂w[i,o] = sum_m sum_k", "dw[i,o] = ∂L/∂w[i,o] = sum_k"),
    ("linear", "∂L/∂z[m,k] * ∂z[m,k]/∂w[i,o]", "∂L/∂z[m,k] * ∂z[m,k]/∂w[o,i]"),
    ("linear", "`∂L/∂z[m,k] = dz[m,k]`", "`∂L/∂z[m,k] = z[m,k]`"),
    ("linear", "x[m,i] if k = o, 0 otherwise", "x[m,i] if k ≠ o, 0 otherwise"),
    ("linear", "x[m,i] if k = o, 0 otherwise", "0 if k = o, x[m,i] otherwise"),
    ("linear", "x[m,i] if k = o, 0 otherwise", "x[m,i] if m = o, 0 otherwise"),
    ("linear", "dw[i,o] = sum_m dz[m,o] x[m,i]", "dw[i,o] = dz[m,o] x[m,i]"),
    ("linear", "dw[i,o] = sum_m dz[m,o] x[m,i]", "dw[i,o] = sum_m dz[o,m] x[m,i]"),
    ("linear", "sum_m A[i,m] B[m,o]`", "sum_m A[m,i] B[m,o]`"),
    ("linear", "`A[i,m] = x[m,i]`", "`A[i,m] = x[i,m]`"),
    ("linear", "sum_m x.T[i,m] dz[m,o]", "sum_m x[i,m] dz[m,o]"),
    ("linear", "= (x.T @ dz)[i,o]", "= (dz.T @ x)[i,o]"),
    ("linear", "= (x.T @ dz)[i,o]", "= (x @ dz)[i,o]"),
    ("linear", "(I, N) @ (N, O) = (I, O)", "(I, N) @ (N, O) = (O, I)"),  # a shape
    ("linear", "(N, O) @ (O, I) = (N, I)", "(N, O) @ (I, O) = (N, I)"),
    ("linear", "1 if k = o, 0 otherwise", "1 if m = o, 0 otherwise"),
    ("linear", "∂z[m,k]/∂b[o] = sum_m dz[m,o]", "∂z[m,k]/∂b[o] = sum_m dz[o,m]"),
    ("linear", "∂z[m,k]/∂b[o] = sum_m dz[m,o]", "∂z[m,k]/∂b[o] = 1/N sum_m dz[m,o]"),  # a second mean
    ("linear", "w[i,k] if m = n, 0 otherwise", "w[k,i] if m = n, 0 otherwise"),
    ("linear", "= sum_k dz[n,k] w[i,k]\n", "= sum_k dz[k,n] w[i,k]\n"),
    ("linear", "= sum_k dz[n,k] w.T[k,i]", "= sum_k dz[n,k] w[k,i]"),
    ("linear", "(dz @ w.T)[n,i]", "(dz @ w)[n,i]"),
    ("linear", "dx = dz @ w.T\n        dw", "dx = dz @ w\n        dw"),
    ("linear", "dw = x.T @ dz\n        db", "dw = dz.T @ x\n        db"),
    ("linear", "axis=0)\n\n", "axis=1)\n\n"),
    # First linear
    ("first_linear", "= s sum_i x[n,i] w[i,o] + b[o]", "= s (sum_i x[n,i] w[i,o] + b[o])"),  # the bias scaled, too
    ("first_linear", "= s x[m,i] if k = o", "= x[m,i] if k = o"),
    ("first_linear", "= sum_m dz[m,o] s x[m,i]", "= sum_m dz[m,o] s^2 x[m,i]"),
    ("first_linear", "`db[o] = sum_m dz[m,o]`", "`db[o] = s sum_m dz[m,o]`"),
    # Sigmoid
    ("sigmoid", "p[i] = e^z[i] / (e^z[i] + 1)", "p[i] = e^z[i] / (e^-z[i] + 1)"),
    ("sigmoid", "e^min(z[i], 0) / (1", "e^max(z[i], 0) / (1"),
    ("sigmoid", "`∂(1/u)/∂u = -1/u^2`", "`∂(1/u)/∂u = 1/u^2`"),
    ("sigmoid", "∂z[i] = -e^-z[i]`", "∂z[i] = e^-z[i]`"),
    ("sigmoid", "= e^-z[i] / (1 + e^-z[i])^2", "= -e^-z[i] / (1 + e^-z[i])^2"),
    ("sigmoid", "*  e^-z[i] / (1 + e^-z[i])", "*  1 / (1 + e^-z[i])"),
    ("sigmoid", "*  (1 - p[i])", "*  (1 + p[i])"),
    ("sigmoid", "(1 + e^-z - 1) / (1 + e^-z)", "(1 + e^-z - 1) / (1 - e^-z)"),
    ("sigmoid", "= dp[i] * p[i] * (1 - p[i])", "= dp[i] * z[i] * (1 - z[i])"),
    # Mean loss
    ("mean_loss", "L = 1/n sum_i e[i]", "L = sum_i e[i]"),
    ("mean_loss", "let n = N*O", "let n = N"),
    ("mean_loss", "let e[i] = t[i] + (1 - 2 t[i]) p[i]", "let e[i] = t[i] - (1 - 2 t[i]) p[i]"),
    ("mean_loss", "p[i] if t[i] = 1, p[i] if t[i] = 0", "p[i] if t[i] = 1, p[i] if t[i] = 2"),
    ("mean_loss", "1 - p[i] if t[i] = 1, p[i] if t[i] = 0", "1 - p[i] if t[i] = 0, p[i] if t[i] = 1"),
    ("mean_loss", "t[i] (1 - p[i]) + (1 - t[i]) p[i]", "t[i] p[i] + (1 - t[i]) (1 - p[i])"),
    ("mean_loss", "1 - 2 t[i] if j = i", "2 t[i] - 1 if j = i"),
    ("mean_loss", "= 1/n * (1 - 2 t[i])", "= 1/N * (1 - 2 t[i])"),
    # ReLU
    ("relu", "`h = max(z, 0)`", "`h = min(z, 0)`"),
    ("relu", "1 if j = i and z[i] > 0, 0", "1 if j = i and z[i] < 0, 0"),
    ("relu", "(1 if z[i] > 0, 0 otherwise)", "(1 if dh[i] > 0, 0 otherwise)"),
    ("relu", "sum_j ∂L/∂h[j] * ∂h[j]/∂z[i]", "sum_j ∂L/∂h[i] * ∂h[j]/∂z[j]"),
    ("relu", "x (w v) + (b v + c)", "x (w v) + (b + c)"),
    # Cross-entropy
    ("cross_entropy", "`1 - p = 1 / (1 + e^z)`", "`1 - p = 1 / (1 - e^z)`"),
    ("cross_entropy", "e[i] = t[i] log(1 + e^-z[i])", "e[i] = t[i] log(1 + e^z[i])"),
    ("cross_entropy", "max(u, 0) + log(1 + e^-|u|)", "max(u, 0) + log(1 + e^|u|)"),
    (
        "cross_entropy",
        "e[i] = t[i] max(-z[i], 0) + (1 - t[i]) max(z[i], 0)",
        "e[i] = t[i] max(z[i], 0) + (1 - t[i]) max(-z[i], 0)",
    ),
    ("cross_entropy", "`∂(log u)/∂u = 1/u if u > 0`", "`∂(log u)/∂u = -1/u if u > 0`"),
    ("cross_entropy", "-(t[i] / p[i] - (1 - t[i]) / (1 - p[i]))", "-(t[i] / p[i] + (1 - t[i]) / (1 - p[i]))"),
    ("cross_entropy", "= (p[i] - t[i]) / (p[i] (1 - p[i]))", "= (t[i] - p[i]) / (p[i] (1 - p[i]))"),
    ("cross_entropy", "* ∂p[i]/∂z[i] = p[i] - t[i]", "* ∂p[i]/∂z[i] = p[i] - t[i]^2"),
    ("cross_entropy", "∂e[j]/∂z[i] = 1/n * (p[i] - t[i])", "∂e[j]/∂z[i] = p[i] - t[i]"),
    ("cross_entropy", "dz = (p - t) / n\n\n", "dz = (p - t)\n\n"),
    # Squared error
    ("squared_error", "L = 1/n sum_j e[j]^2", "L = 1/n sum_j e[j]"),
    ("squared_error", "let e[j] = y[j] - t[j]", "let e[j] = t[j] - y[j]^2"),
    ("squared_error", "∂L/∂e[j] = 1/n * 2 e[j]", "∂L/∂e[j] = 2 e[j]"),
    ("squared_error", "= 1/n * 2 e[i] = 2/n (y[i] - t[i])", "= 1/n * 2 e[i] = 2/n (t[i] - y[i])"),
    ("squared_error", "dy = 2 * (y - t) / n\n\n", "dy = (y - t) / n\n\n"),
    # Softmax cross-entropy
    ("softmax_cross_entropy", "= e^z[n,o] / (sum_k e^z[n,k])", "= e^z[n,o] / (sum_n e^z[n,k])"),
    ("softmax_cross_entropy", "= log(sum_k e^z[n,k]) - z[n,o]", "= log(sum_k e^z[n,k]) + z[n,o]"),
    ("softmax_cross_entropy", "= top[n] + log(1 + r[n])", "= top[n] + log(r[n])"),
    ("softmax_cross_entropy", "sum_o t[n,o] (top[n] - z[n,o])", "sum_o t[n,o] (z[n,o] - top[n])"),
    ("softmax_cross_entropy", "`∂s[n]/∂z[n,o] = e^z[n,o]`", "`∂s[n]/∂z[n,o] = s[n]`"),
    ("softmax_cross_entropy", "(0 * s[n] - e^z[n,k] e^z[n,o])", "(0 * s[n] + e^z[n,k] e^z[n,o])"),
    ("softmax_cross_entropy", "= p[n,k] (δ[k,o] - p[n,o])\n\n    Next", "= p[n,k] (δ[k,o] - p[n,k])\n\n    Next"),
    ("softmax_cross_entropy", "∂e[n]/∂p[n,k] = -t[n,k] / p[n,k]", "∂e[n]/∂p[n,k] = -p[n,k] / t[n,k]"),
    ("softmax_cross_entropy", "= sum_m ∂L/∂e[m] * ∂e[m]/∂z[n,o]", "= sum_m ∂L/∂e[n] * ∂e[m]/∂z[n,o] * N"),
    ("softmax_cross_entropy", "= 1/N sum_k t[n,k] (p[n,o] - δ[k,o])", "= 1/N sum_k t[n,k] (δ[k,o] - p[n,o])"),
    ("softmax_cross_entropy", "= 1/N (p[n,o] - t[n,o])", "= 1/O (p[n,o] - t[n,o])"),
    ("softmax_cross_entropy", "dz = (p - t) / N\n\n    Two", "dz = p - t\n\n    Two"),
    # Tanh
    ("tanh", "`h = 2 sigmoid(2 z) - 1`", "`h = 2 sigmoid(z) - 1`"),
    ("tanh", "= e^z[i] + e^-z[i] = v[i]", "= e^z[i] + e^-z[i] = u[i]"),
    ("tanh", "(v[i] v[i] - u[i] u[i]) / v[i]^2", "(u[i] u[i] - v[i] v[i]) / v[i]^2"),
    ("tanh", "= dh[i] * (1 - h[i]) * (1 + h[i])", "= dh[i] * (1 - h[i]) * (1 - h[i])"),
    # Broadcast
    ("broadcast", "∂x[h,0] = 1 if k = h, 0", "∂x[0,h] = 1 if k = h, 0"),
    ("broadcast", "∂x[h,0] = 1 if k = h, 0", "∂x[h,0] = 1 if l = h, 0"),
    ("broadcast", "= sum_m sum_l dy[m,h,l]", "= sum_l dy[m,h,l]"),
    (
        "broadcast",
        "dx = xp.reshape(xp.sum(dy, axis=copied), shape)\n\n",
        "dx = xp.reshape(xp.mean(dy, axis=copied), shape)\n\n",
    ),
    # Patches
    (
        "patches",
        "c[n,p,q,(u,v,i)] = x[n,stride*p+u,stride*q+v,i]\n\n    Raises",
        "c[n,p,q,(v,u,i)] = x[n,stride*p+u,stride*q+v,i]\n\n    Raises",
    ),
    ("patches", "= sum_k c[n,p,q,k] w[k,o] + b[o]", "= sum_k c[n,p,q,k] w[k,o]"),
    ("patches", "and stride*q+v = t and j = i, 0 otherwise", "and stride*q+v = t, 0 otherwise"),
    (
        "patches",
        "(1 if stride*p+u = r and stride*q+v = t, 0 otherwise)",
        "(1 if stride*p+u = t and stride*q+v = r, 0 otherwise)",
    ),
    ("patches", "(1 if stride*p+u = r and stride*q+v = t, 0 otherwise)", "(1 if p+u = r and q+v = t, 0 otherwise)"),
    # Max pool
    ("max_pool", "= max_u max_v x[n,size*p+u,size*q+v,i]", "= max_u max_v x[n,size*p+u,size*p+v,i]"),
    (
        "max_pool",
        "= 1 / ties[n,p,q,i] if x[n,size*p+u,size*q+v,i] = h[n,p,q,i]",
        "= 1 / ties[n,p,q,i] if x[n,size*p+u,size*q+v,i] < h[n,p,q,i]",
    ),
    ("max_pool", "= dh[n,p,q,i] / ties[n,p,q,i] * (1 if", "= 2 dh[n,p,q,i] / ties[n,p,q,i] * (1 if"),
    # Layer norm
    ("layer_norm", "y[n,i] = gamma[i] u[n,i] + beta[i]", "y[n,i] = gamma[i] x[n,i] + beta[i]"),
    ("layer_norm", "∂gamma[i] = sum_m dy[m,i] u[m,i]", "∂gamma[i] = sum_m dy[m,i] x[m,i]"),
    ("layer_norm", "∂u[n,i] = dy[n,i] gamma[i]", "∂u[n,i] = dy[n,i] gamma[i] s[n]"),
    ("layer_norm", "(var[n] + ε)^(-3/2) = -1/2 s[n]^3", "(var[n] + ε)^(-3/2) = -1/2 s[n]^2"),
    ("layer_norm", "= -1/2 s[n]^2 sum_k du[n,k] u[n,k]", "= -1/2 s[n]^2 du[n,k] u[n,k]"),
    ("layer_norm", "∂u[n,k]/∂mean[n] = -s[n]", "∂u[n,k]/∂mean[n] = s[n]"),
    ("layer_norm", "∂mean[n]/∂x[n,i] = 1/I", "∂mean[n]/∂x[n,i] = 1/N"),
    ("layer_norm", "+ dvar[n] * ∂var[n]/∂x[n,i] + dmean[n] * ∂mean[n]/∂x[n,i]\n", "+ dvar[n] * ∂var[n]/∂x[n,i]\n"),
    ("layer_norm", "= s[n] (du[n,i] - 1/I sum_k du[n,k] - u[n,i]", "= s[n] (du[n,i] - 1/I sum_k du[n,k] + u[n,i]"),
    # Batch norm
    ("batch_norm", "∂var[i]/∂x[n,i] = 2/N (x[n,i] - mean[i])", "∂var[i]/∂x[n,i] = 2/N x[n,i]"),
    (
        "batch_norm",
        "= du[n,i] s[i] + dvar[i] * 2/N (x[n,i] - mean[i]) + dmean[i] * 1/N",
        "= du[n,i] s[i] + dvar[i] * 2/N (x[n,i] - mean[i]) + dmean[i]",
    ),
    (
        "batch_norm",
        "dx = s * (du - xp.mean(du, axis=0) - u * xp.mean(du * u, axis=0))\n        dgamma",
        "dx = s * (du - u * xp.mean(du * u, axis=0))\n        dgamma",
    ),
    ("batch_norm", "gamma[i] (var[i] + ε)^(-1/2) (x[n,i] - mean[i])", "gamma[i] (var[i] + ε)^(1/2) (x[n,i] - mean[i])"),
]
