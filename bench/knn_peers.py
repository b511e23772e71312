"""Nearest neighbours of faiss and hnswlib on the vectors in a folder; prints JSON. A peer that is not installed says so.

Recall is against exact search by faiss on the same vectors."""
import json
import sys
import time

import numpy as np

folder, settings = sys.argv[1], json.loads(sys.argv[2])
columns, n, threads, alone = settings["columns"], settings["n"], settings["threads"], settings["alone"]
x = np.fromfile(f"{folder}/points.f32", dtype="float32").reshape(-1, columns)
queries = np.fromfile(f"{folder}/queries.f32", dtype="float32").reshape(-1, columns)
result = {}


def measured(search, read=None):
    """Searches all queries together, then some one by one; `read` says what a query read, codes and vectors."""
    search(queries[:32])
    began = time.perf_counter()
    found = search(queries)
    together = time.perf_counter() - began
    codes, vectors = read() if read else (None, None)
    began = time.perf_counter()
    for i in range(alone):
        search(queries[i : i + 1])
    single = time.perf_counter() - began
    recall = np.mean([len(set(a) & set(b)) / n for a, b in zip(found, truth)])
    return {
        "recall": float(recall),
        "queriesPerSecondTogether": len(queries) / together,
        "queriesPerSecondOneByOne": alone / single,
        "codesRead": codes,
        "vectorsRead": vectors,
    }


try:
    import faiss

    faiss.omp_set_num_threads(threads)
    flat = faiss.IndexFlatIP(columns)
    flat.add(x)
    truth = flat.search(queries, n)[1]
    result["faiss IndexFlatIP"] = measured(lambda q: flat.search(q, n)[1], lambda: (0, len(x)))

    lsh = faiss.IndexLSH(columns, 256, True, True)
    lsh.train(x[:20000])
    lsh.add(x)
    kept = len(x) // 50

    def reranked(q):
        candidates = lsh.search(q, kept)[1]
        found = np.empty((len(q), n), dtype=np.int64)
        for i, row in enumerate(candidates):
            scores = x[row] @ q[i]
            found[i] = row[np.argsort(-scores)[:n]]
        return found

    result["faiss IndexLSH, 256 bits, 2 % re-ranked by numpy"] = measured(reranked, lambda: (len(x), kept))

    hnsw = faiss.IndexHNSWFlat(columns, 16, faiss.METRIC_INNER_PRODUCT)
    hnsw.hnsw.efConstruction = 40
    hnsw.hnsw.efSearch = 64
    hnsw.add(x)

    def hnsw_search(q):
        faiss.cvar.hnsw_stats.reset()
        return hnsw.search(q, n)[1]

    result["faiss IndexHNSWFlat, M 16, ef 64"] = measured(
        hnsw_search, lambda: (0, faiss.cvar.hnsw_stats.n3 / len(queries))
    )
except ImportError as error:
    result["faiss"] = {"absent": str(error)}
    truth = np.argsort(-(queries @ x.T), axis=1)[:, :n]

try:
    import hnswlib

    graph = hnswlib.Index(space="ip", dim=columns)
    graph.init_index(max_elements=len(x), ef_construction=40, M=16)
    graph.set_num_threads(threads)
    graph.add_items(x)
    graph.set_ef(64)
    result["hnswlib, M 16, ef 64"] = measured(lambda q: graph.knn_query(q, k=n)[0])
except ImportError as error:
    result["hnswlib"] = {"absent": str(error)}

print(json.dumps(result))
