"""Expected values of src/math/graph-cluster/cut-evidence.test.ts, by NumPy, SciPy and scikit-learn on dense matrices.

Eighteen points on the sphere in three groups, a graph of exponentials of their cosines, SciPy's Ward tree.
Run: python3 test/oracles/cut_evidence.py > src/math/graph-cluster/cut-evidence.expected.json
"""
import json
import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

N = 18
i = np.arange(N)
points = np.stack([np.cos(2.1 * (i % 3)) + 0.3 * np.sin(1.7 * i), np.sin(2.1 * (i % 3)) + 0.3 * np.cos(2.3 * i), 0.4 * np.sin(0.9 * i * i)], 1)
points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
x = points.astype(float)
weights = np.exp(4 * (x @ x.T - 1))
np.fill_diagonal(weights, 0)
weights[weights < 0.02] = 0
degree = weights.sum(1)
rates = np.sort(np.linalg.eigvalsh(weights / np.sqrt(np.outer(degree, degree))))[::-1]
tree = linkage(x, "ward")
costs = tree[:, 2] ** 2 / 2


def centres(labels):
    return np.stack([x[labels == c].mean(0) for c in np.unique(labels)])


def split_at(k):
    """Squared distance of the centres that k - 1 clusters would join."""
    if k < 2 or k > N:
        return 2.0 if k == 1 else 0.0
    fine, coarse = (fcluster(tree, n, "maxclust") for n in (k, k - 1))
    for c in np.unique(coarse):
        parts = np.unique(fine[coarse == c])
        if len(parts) == 2:
            a, b = (x[fine == p].mean(0) for p in parts)
            return float(((a - b) ** 2).sum())


two = fcluster(tree, 2, "maxclust")
across = float((x[two == 1] @ x[two == 2].T).mean())
rows, clusters = [], []
for k in range(1, N // 2 + 1):
    labels = np.unique(fcluster(tree, k, "maxclust"), return_inverse=True)[1]
    one_hot = np.eye(k)[labels]
    between = one_hot.T @ weights @ one_hot
    share = between / between.sum()
    modularity = np.trace(share) - (share.sum(1) ** 2).sum()
    middle = centres(labels)
    cosines = x @ middle.T
    own = cosines[i, labels]
    others = np.where(one_hot > 0, -np.inf, cosines).max(1)
    cost = costs[N - k] if k > 1 else 1.5 * costs[-1]
    rows.append([
        np.log((cost + 1e-3) / (costs[N - k - 1] + 1e-3)),
        np.log((1 - rates[k] + 1e-2) / (1 - rates[k - 1] + 1e-2)),
        modularity,
        (middle[labels] ** 2).sum(1).mean(),
        (own - others).mean() if k > 1 else 0.0,
        np.log(np.bincount(labels).max() * k / N),
        split_at(k),
        np.mean([split_at(j) for j in (k + 1, k + 2, k + 3)]),
    ])
    if k == 3:
        cohesion = np.diag(between) / between.sum(1)
        inside = [x[labels == c] @ x[labels == c].T for c in range(k)]
        similar = [float(m[~np.eye(len(m), dtype=bool)].mean()) for m in inside]
        clusters = [[int((labels == c).sum()), float(cohesion[c]), float((middle[c] ** 2).sum()), similar[c]] for c in range(k)]
edges = [[int(a), int(b), float(weights[a, b])] for a, b in zip(*np.nonzero(weights))]
print(json.dumps({"points": points.ravel().tolist(), "edges": edges, "eigenvalues": rates.tolist(), "measures": rows, "clustersOfThree": sorted(clusters), "acrossTwo": across}))
