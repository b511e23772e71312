"""k-means of scikit-learn and faiss on the vectors in a folder; prints JSON. A peer that is not installed says so."""
import json
import sys
import time

import numpy as np

folder, settings = sys.argv[1], json.loads(sys.argv[2])
columns, k, limit = settings["columns"], settings["k"], settings["inertia"]
x = np.fromfile(f"{folder}/points.f32", dtype="float32").reshape(-1, columns)
start = np.fromfile(f"{folder}/start.f32", dtype="float32").reshape(k, columns)
result = {}

try:
    from sklearn.cluster import KMeans

    for algorithm in ("lloyd", "elkan"):
        began = time.perf_counter()
        model = KMeans(k, init=start, n_init=1, algorithm=algorithm).fit(x)
        result[f"scikit-learn {algorithm}"] = {
            "seconds": time.perf_counter() - began,
            "inertia": float(model.inertia_),
            "iterations": int(model.n_iter_),
        }
except ImportError as error:
    result["scikit-learn"] = {"absent": str(error)}

try:
    import faiss

    faiss.omp_set_num_threads(settings["threads"])
    # faiss has no stopping rule: it is given the iterations scikit-learn's rule takes, and is timed up to the iteration
    # that reaches the inertia of the others.
    model = faiss.Kmeans(columns, k, niter=settings["iterations"], max_points_per_centroid=10**9, min_points_per_centroid=1)
    began = time.perf_counter()
    model.train(x, init_centroids=start)
    seconds = time.perf_counter() - began
    stats = model.iteration_stats
    reached = [i for i, stat in enumerate(stats) if stat["obj"] <= limit * 1.0001]
    result["faiss"] = {
        "seconds": stats[reached[0]]["time"] if reached else seconds,
        "inertia": float(stats[reached[0]]["obj"] if reached else stats[-1]["obj"]),
        "iterations": reached[0] + 1 if reached else len(stats),
        "reachedInertia": bool(reached),
    }
except ImportError as error:
    result["faiss"] = {"absent": str(error)}

print(json.dumps(result))
