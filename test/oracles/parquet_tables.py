"""Writes test/fixtures/parquet-*.parquet: tables of labels as `datasets` (by its schema) and pandas write them.

    python3 -m venv ENV && ENV/bin/pip install pyarrow pandas
    ENV/bin/python test/oracles/parquet_tables.py

Made with pyarrow 25.0.1 and pandas 2.3.3. The metadata is what `datasets.Features.arrow_schema` puts into a schema:
features by column, ClassLabel with its names, Sequence with the feature of its elements.
"""
import json, os
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

OUT = os.path.join(os.path.dirname(__file__), '..', 'fixtures')
image = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
objects = pa.struct([('bbox', pa.list_(pa.list_(pa.float32()))), ('category', pa.list_(pa.int64()))])
table = pa.table({
    'image': pa.array([{'bytes': b'xx', 'path': 'a.jpg'}, {'bytes': b'\xff\xd8', 'path': 'b.jpg'}], image),
    'label': pa.array([0, 1], pa.int64()),
    'objects': pa.array([{'bbox': [[1, 2, 3, 4]], 'category': [1]}, {'bbox': [], 'category': []}], objects),
})
sequence = lambda feature: {'feature': feature, '_type': 'Sequence'}
features = {
    'image': {'_type': 'Image'},
    'label': {'names': ['cat', 'dog'], '_type': 'ClassLabel'},
    'objects': sequence({'bbox': sequence({'dtype': 'float32', '_type': 'Value'}),
                         'category': {'names': ['bird', 'fish'], '_type': 'ClassLabel'}}),
}
table = table.replace_schema_metadata({'huggingface': json.dumps({'info': {'features': features}})})
pq.write_table(table, f'{OUT}/parquet-hub.parquet')
pd.DataFrame({'filename': ['a.jpg', 'b.jpg', 'b.jpg'], 'class': ['cat', 'dog', 'cat'], 'xmin': [1, 2, 3], 'ymin': [2, 3, 4],
              'xmax': [11, 12, 13], 'ymax': [12, 13, 14]}).to_parquet(f'{OUT}/parquet-pandas.parquet')
pd.DataFrame({'file_name': ['a.jpg', 'b.jpg'], 'label': ['cat', 'dog'], 'note': ['x', 'y']}).to_parquet(
    f'{OUT}/parquet-metadata.parquet', compression='zstd')
