/**
 * ONNX files as plain objects: decodes and encodes `ModelProto`.
 *
 * Owns the wire format only. Messages that nothing here looks into (functions, sparse tensors, training and
 * quantisation notes) are carried as opaque bytes, so that a model survives decoding and encoding. Field numbers are
 * those of onnx.proto, IR version 10.
 */
import protobuf from 'protobufjs';
import { LabelsmithError } from '../errors.ts';

/** `AttributeProto.AttributeType`. */
export const ATTRIBUTE_TYPES = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
} as const;

export interface TensorProto {
  name?: string;
  dataType?: number;
  dims?: bigint[];
  /** Little-endian elements; the typed lists below are the older way to say the same. */
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: bigint[];
  doubleData?: number[];
  uint64Data?: bigint[];
  stringData?: Uint8Array[];
  externalData?: StringStringEntryProto[];
  /** 1 when the elements are in another file. */
  dataLocation?: number;
}

export interface StringStringEntryProto {
  key?: string;
  value?: string;
}

export interface AttributeProto {
  name?: string;
  type?: number;
  f?: number;
  i?: bigint;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats?: number[];
  ints?: bigint[];
  strings?: Uint8Array[];
  tensors?: TensorProto[];
  graphs?: GraphProto[];
  sparseTensor?: Uint8Array;
  sparseTensors?: Uint8Array[];
  refAttrName?: string;
}

export interface NodeProto {
  name?: string;
  opType?: string;
  domain?: string;
  overload?: string;
  /** An empty name is an optional input that is not given. */
  input?: string[];
  output?: string[];
  attribute?: AttributeProto[];
}

export interface ValueInfoProto {
  name?: string;
  type?: TypeProto;
}

export interface TypeProto {
  tensorType?: { elemType?: number; shape?: { dim?: { dimValue?: bigint; dimParam?: string }[] } };
  sequenceType?: Uint8Array;
  mapType?: Uint8Array;
  optionalType?: Uint8Array;
  sparseTensorType?: Uint8Array;
}

export interface GraphProto {
  name?: string;
  node?: NodeProto[];
  initializer?: TensorProto[];
  sparseInitializer?: Uint8Array[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  valueInfo?: ValueInfoProto[];
}

export interface ModelProto {
  irVersion?: bigint;
  producerName?: string;
  producerVersion?: string;
  opsetImport?: { domain?: string; version?: bigint }[];
  metadataProps?: StringStringEntryProto[];
  graph?: GraphProto;
  functions?: Uint8Array[];
}

type FieldSpec = readonly [id: number, type: string, repeated?: 'repeated'];

/** Every message as a table of its fields; `bytes` stands for a message that is not looked into. */
const MESSAGES: Readonly<Record<string, Readonly<Record<string, FieldSpec>>>> = {
  StringStringEntryProto: { key: [1, 'string'], value: [2, 'string'] },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int64'] },
  Dimension: { dimValue: [1, 'int64'], dimParam: [2, 'string'], denotation: [3, 'string'] },
  TensorShapeProto: { dim: [1, 'Dimension', 'repeated'] },
  TensorType: { elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] },
  TypeProto: {
    tensorType: [1, 'TensorType'],
    sequenceType: [4, 'bytes'],
    mapType: [5, 'bytes'],
    denotation: [6, 'string'],
    sparseTensorType: [8, 'bytes'],
    optionalType: [9, 'bytes'],
  },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'], docString: [3, 'string'] },
  TensorProto: {
    dims: [1, 'int64', 'repeated'],
    dataType: [2, 'int32'],
    segment: [3, 'bytes'],
    floatData: [4, 'float', 'repeated'],
    int32Data: [5, 'int32', 'repeated'],
    stringData: [6, 'bytes', 'repeated'],
    int64Data: [7, 'int64', 'repeated'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'double', 'repeated'],
    uint64Data: [11, 'uint64', 'repeated'],
    docString: [12, 'string'],
    externalData: [13, 'StringStringEntryProto', 'repeated'],
    dataLocation: [14, 'int32'],
  },
  AttributeProto: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    t: [5, 'TensorProto'],
    g: [6, 'GraphProto'],
    floats: [7, 'float', 'repeated'],
    ints: [8, 'int64', 'repeated'],
    strings: [9, 'bytes', 'repeated'],
    tensors: [10, 'TensorProto', 'repeated'],
    graphs: [11, 'GraphProto', 'repeated'],
    docString: [13, 'string'],
    tp: [14, 'bytes'],
    typeProtos: [15, 'bytes', 'repeated'],
    type: [20, 'int32'],
    refAttrName: [21, 'string'],
    sparseTensor: [22, 'bytes'],
    sparseTensors: [23, 'bytes', 'repeated'],
  },
  NodeProto: {
    input: [1, 'string', 'repeated'],
    output: [2, 'string', 'repeated'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'AttributeProto', 'repeated'],
    docString: [6, 'string'],
    domain: [7, 'string'],
    overload: [8, 'string'],
    metadataProps: [9, 'StringStringEntryProto', 'repeated'],
  },
  GraphProto: {
    node: [1, 'NodeProto', 'repeated'],
    name: [2, 'string'],
    initializer: [5, 'TensorProto', 'repeated'],
    docString: [10, 'string'],
    input: [11, 'ValueInfoProto', 'repeated'],
    output: [12, 'ValueInfoProto', 'repeated'],
    valueInfo: [13, 'ValueInfoProto', 'repeated'],
    quantizationAnnotation: [14, 'bytes', 'repeated'],
    sparseInitializer: [15, 'bytes', 'repeated'],
    metadataProps: [16, 'StringStringEntryProto', 'repeated'],
  },
  ModelProto: {
    irVersion: [1, 'int64'],
    producerName: [2, 'string'],
    producerVersion: [3, 'string'],
    domain: [4, 'string'],
    modelVersion: [5, 'int64'],
    docString: [6, 'string'],
    graph: [7, 'GraphProto'],
    opsetImport: [8, 'OperatorSetIdProto', 'repeated'],
    metadataProps: [14, 'StringStringEntryProto', 'repeated'],
    trainingInfo: [20, 'bytes', 'repeated'],
    functions: [25, 'bytes', 'repeated'],
    configuration: [26, 'bytes', 'repeated'],
  },
};

/** Numbers are packed on the wire, as ONNX's own writers do for these lists. */
const NUMERIC = new Set(['int32', 'int64', 'uint64', 'float', 'double']);

const root = new protobuf.Root();
for (const [name, fields] of Object.entries(MESSAGES)) {
  const type = new protobuf.Type(name);
  for (const [field, [id, fieldType, rule]] of Object.entries(fields)) {
    const options = rule && NUMERIC.has(fieldType) ? { packed: true } : undefined;
    type.add(new protobuf.Field(field, id, fieldType, rule, undefined, options));
  }
  root.add(type);
}
const MODEL = root.lookupType('ModelProto');

/** Decodes a model; bytes of tensors are views into `bytes`, not copies. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  let model: ModelProto;
  try {
    model = MODEL.toObject(MODEL.decode(bytes), { longs: BigInt });
  } catch (cause) {
    throw new LabelsmithError('BAD_MODEL', `not an ONNX model: ${bytes.length} bytes that do not decode`, {
      cause,
      hint: 'Check that the file is a complete .onnx file.',
    });
  }
  if (!model.graph) {
    throw new LabelsmithError('BAD_MODEL', `not an ONNX model: ${bytes.length} bytes with no graph in them`, {
      hint: 'Check that the file is a complete .onnx file.',
    });
  }
  return model;
}

export function encodeModel(model: ModelProto): Uint8Array {
  return MODEL.encode(MODEL.fromObject(model)).finish();
}
