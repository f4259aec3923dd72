"""Read and write safetensors files with numpy: BF16 too, and the same bytes
for the same input (keys keep their order)."""

import json

import numpy as np

DTYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16,
    "BF16": np.uint16, "I64": np.int64, "I32": np.int32, "U8": np.uint8,
}
NAMES = {np.dtype(d): name for name, d in DTYPES.items() if name != "BF16"}


def bf16_bits(x):
    """Round finite float32 values to BF16, ties to even; bits as uint16."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    """BF16 bits to float32 values."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def rounded(x, dtype):
    """The values of x after a round trip through dtype, as float64."""
    if dtype == "BF16":
        return from_bf16(bf16_bits(x)).astype(np.float64)
    return np.asarray(x).astype(DTYPES[dtype]).astype(np.float64)


def read(path):
    """Return ({name: array}, {name: dtype}, metadata); BF16 comes as F32."""
    data = np.fromfile(path, np.uint8)
    size = int(data[:8].view(np.uint64)[0])
    header = json.loads(data[8:8 + size].tobytes())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, info in header.items():
        start, end = info["data_offsets"]
        raw = data[8 + size + start:8 + size + end].tobytes()
        values = np.frombuffer(raw, DTYPES[info["dtype"]])
        values = from_bf16(values) if info["dtype"] == "BF16" else values
        tensors[name] = values.reshape(info["shape"])
    return tensors, {k: v["dtype"] for k, v in header.items()}, metadata


def write(path, tensors, metadata=None, dtypes=None):
    """Write {name: array}; dtypes {name: "BF16" ...} overrides the arrays'."""
    header, end = {"__metadata__": metadata} if metadata else {}, 0
    stored = {}
    for name, array in tensors.items():
        dtype = (dtypes or {}).get(name) or NAMES[np.asarray(array).dtype]
        bits = bf16_bits(array) if dtype == "BF16" else array
        stored[name] = np.ascontiguousarray(bits, DTYPES[dtype])
        start, end = end, end + stored[name].nbytes
        header[name] = {"dtype": dtype, "shape": np.shape(array),
                        "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in stored.values():
            file.write(array.data if array.size else b"")
