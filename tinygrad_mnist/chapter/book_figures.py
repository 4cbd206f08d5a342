"""The numbers that the book prints: Howard and Gugger, Deep Learning for Coders (O'Reilly, 2020), chapter 4."""

THREE = 1032
"""The position, from 0, of the book's example among MNIST's training 3s. It is image 10000 of the training file."""

PATCH = (
    (0, 0, 0, 0, 0, 0),
    (0, 0, 0, 0, 0, 29),
    (0, 0, 0, 48, 166, 224),
    (0, 93, 244, 249, 253, 187),
    (0, 107, 253, 253, 230, 48),
    (0, 3, 20, 20, 15, 0),
)
"""Rows and columns 4 to 9 of that 3, as bytes."""

COUNTS = {"training 3s": 6131, "training 7s": 6265, "test 3s": 1010, "test 7s": 1028}
"""The number of images of each kind."""

DISTANCES = {
    "distance to ideal 3 (L1)": 0.1114,
    "distance to ideal 7 (L1)": 0.1586,
    "distance to ideal 3 (RMS)": 0.2021,
    "distance to ideal 7 (RMS)": 0.3021,
}
"""The distances of that 3 from both ideals: the mean absolute difference (L1) and the root mean square (RMS)."""

SIMILARITY = {"accuracy on 3s (L1)": 0.9168, "accuracy on 7s (L1)": 0.9854, "mean of both accuracies": 0.9511}
"""The shares of the test digits that are closer, by the L1 distance, to their own ideal."""

SQUARE = {"x^2 at 3": 9, "derivative of x^2 at 3": 6, "sum of x^2 at 3, 4 and 10": 125}
SQUARE_GRADIENT = {"gradient entry for x = 3": 6, "gradient entry for x = 4": 8, "gradient entry for x = 10": 20}
"""Values and derivatives of x^2, and the gradient of the sum."""

NOISE = (
    *(1.926915, 1.487284, 0.900717, -2.105521, -0.758131, 1.078318, 0.800801, 1.68062, 0.35586, -0.686623),
    *(-0.493356, 0.241488, -0.231624, 0.041759, -0.251575, 0.859859, -0.309727, -0.39571, 0.803409, -0.621595),
)
"""The noise in the roller coaster's speed in each of 20 seconds, printed to six decimal places."""

FIRST_PARAMETERS = (-0.7658386, -0.7506223, 1.3525478)
"""a, b and c of the parabola a t^2 + b t + c before the first step."""

FIRST_GRADIENT = (-53195.8594, -3419.7146, -253.8908)
"""The derivative of the loss with respect to each of them."""

LOSSES = (
    *(25823.8086, 5435.5366, 1577.4496, 847.3781, 709.2227, 683.0757),
    *(678.1245, 677.184, 677.0025, 676.9644, 676.9537),
)
"""The loss before each of ten steps, and after the last. The printed code takes a root, but the printed losses are the
mean squared errors."""

PREDICTIONS, BETTER_PREDICTION, TARGETS = (0.9, 0.4, 0.2), 0.8, (1, 0, 1)
"""Three predictions, a replacement for the last one, and their targets."""

PREDICTION_DISTANCES = {"distance of 0.9 from 1": 0.1, "distance of 0.4 from 0": 0.4, "distance of 0.2 from 1": 0.8}
PREDICTION_LOSSES = {"loss of all three": 0.4333, "loss if 0.2 becomes 0.8": 0.2333}
"""The distances of the predictions from their targets, and the loss, before and after the replacement."""

FOUR_LOGITS = (-11.1002, 5.9263, 9.9627, -8.1484)
FOUR_THREES = {"loss of four 3s": 0.5006, "bias gradient of four 3s": -0.0008}
"""The logits of a batch of four 3s, their loss, and its derivative with respect to the bias."""

LINEAR_OWN = (
    *(0.6883, 0.8314, 0.9017, 0.9227, 0.9349, 0.9438, 0.9501, 0.9535, 0.9564, 0.9594),
    *(0.9618, 0.9613, 0.9638, 0.9643, 0.9652, 0.9662, 0.9677, 0.9687, 0.9691, 0.9696),
)
"""Test accuracy of the linear model after each epoch, from standard normal initial weights."""

LINEAR_LIBRARY = (
    *(0.4932, 0.8618, 0.8203, 0.9102, 0.9331, 0.9468, 0.9555, 0.9629, 0.9658, 0.9673),
    *(0.9687, 0.9707, 0.9726, 0.9751, 0.9761, 0.9761, 0.9775, 0.9780, 0.9785, 0.9785),
)
LINEAR = {"test accuracy, epoch 20": LINEAR_LIBRARY[-1]}
"""The same from the small initial weights of the book's library, and the last of these."""

HIDDEN = {"test accuracy, epoch 40": 0.982826, "test loss, epoch 40": 0.020415}
"""Accuracy and loss of the network with a hidden layer on the test digits, after its last epoch."""
