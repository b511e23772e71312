"""What scikit-learn makes of a linear discriminant with shrinkage, for `src/math/heads/discriminant.test.ts`.

    pip install scikit-learn
    python test/oracles/discriminant.py

40 items of four numbers and three classes, from a formula. Prints, of two shrinkages, weights and biases; then how often each class is
taken for each (rows: the true one), by heads that did not see the fold, items being dealt out to three folds in turn by tens.
"""
import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import confusion_matrix

i, j = np.mgrid[0:40, 0:4]
y = np.arange(40) % 3
x = ((7 * i + 13 * j + (i * j) % 5) % 11) / 10 + 0.6 * (j == y[:, None])
for shrinkage in (0.1, 0.5):
    head = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(x, y)
    print(np.round(head.coef_, 6).tolist(), np.round(head.intercept_, 6).tolist())
fold = np.arange(40) // 10 % 3
predicted = np.empty(40, int)
for f in range(3):
    head = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1).fit(x[fold != f], y[fold != f])
    predicted[fold == f] = head.predict(x[fold == f])
print(confusion_matrix(y, predicted).tolist())
