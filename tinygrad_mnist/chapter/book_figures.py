"""The numbers that the book prints: Howard and Gugger, Deep Learning for Coders (O'Reilly, 2020), chapter 4."""

THREE = 1032
"""Which of MNIST's training threes the book looks at, counted from 0: image number 10000 of the training file."""

PATCH = (
    (0, 0, 0, 0, 0, 0),
    (0, 0, 0, 0, 0, 29),
    (0, 0, 0, 48, 166, 224),
    (0, 93, 244, 249, 253, 187),
    (0, 107, 253, 253, 230, 48),
    (0, 3, 20, 20, 15, 0),
)
"""Rows and columns 4 to 9 of that three, in bytes."""

COUNTS = {"training 3s": 6131, "training 7s": 6265, "test 3s": 1010, "test 7s": 1028}
"""How many images there are."""

DISTANCES = {
    "a 3 to ideal 3, by L1": 0.1114,
    "a 3 to ideal 7, by L1": 0.1586,
    "a 3 to ideal 3, by RMS": 0.2021,
    "a 3 to ideal 7, by RMS": 0.3021,
}
"""How far that three is from both ideals, on average: without sign (L1), and as the root of the mean square (RMS)."""

SIMILARITY = {"3s read right, by L1": 0.9168, "7s read right, by L1": 0.9854, "mean of the two shares": 0.9511}
"""The share of test digits that are nearer, by L1, to their own ideal."""

NOISE = (
    *(1.926915, 1.487284, 0.900717, -2.105521, -0.758131, 1.078318, 0.800801, 1.68062, 0.35586, -0.686623),
    *(-0.493356, 0.241488, -0.231624, 0.041759, -0.251575, 0.859859, -0.309727, -0.39571, 0.803409, -0.621595),
)
"""What disturbs the roller coaster's speed in each of 20 seconds, printed to six digits after the point."""

FIRST_PARAMETERS = (-0.7658386, -0.7506223, 1.3525478)
"""a, b and c of the parabola a t^2 + b t + c before the first step."""

FIRST_GRADIENT = (-53195.8594, -3419.7146, -253.8908)
"""The derivative of the loss by each of them."""

LOSSES = (
    25823.8086,
    5435.5366,
    1577.4496,
    847.3781,
    709.2227,
    683.0757,
    678.1245,
    677.184,
    677.0025,
    676.9644,
    676.9537,
)
"""The loss before each of ten steps, and after them. The printed code takes a root, and the printed losses do not."""

PREDICTIONS, TARGETS, PREDICTION_DISTANCES, LOSS = (0.9, 0.4, 0.2), (1, 0, 1), (0.1, 0.4, 0.8), 0.4333
"""Three predictions, what they should be, how far they are from it, and their loss."""

BETTER_PREDICTION, BETTER_LOSS = 0.8, 0.2333
"""In place of the last prediction, and the loss then."""

FOUR_LOGITS, FOUR_LOSS, FOUR_BIAS_GRADIENT = (-11.1002, 5.9263, 9.9627, -8.1484), 0.5006, -0.0008
"""The logits of a batch of four threes, their loss, and its derivative by the bias."""

LINEAR_OWN = (
    *(0.6883, 0.8314, 0.9017, 0.9227, 0.9349, 0.9438, 0.9501, 0.9535, 0.9564, 0.9594),
    *(0.9618, 0.9613, 0.9638, 0.9643, 0.9652, 0.9662, 0.9677, 0.9687, 0.9691, 0.9696),
)
"""Accuracy of the linear model after each epoch, from weights of the standard normal distribution."""

LINEAR_LIBRARY = (
    *(0.4932, 0.8618, 0.8203, 0.9102, 0.9331, 0.9468, 0.9555, 0.9629, 0.9658, 0.9673),
    *(0.9687, 0.9707, 0.9726, 0.9751, 0.9761, 0.9761, 0.9775, 0.9780, 0.9785, 0.9785),
)
"""The same from the small weights that its library draws."""

HIDDEN_ACCURACY, HIDDEN_LOSS = 0.982826, 0.020415
"""Accuracy and loss of the network with a hidden layer on the test digits, after its last epoch."""
