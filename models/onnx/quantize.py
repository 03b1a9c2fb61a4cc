"""Networks with whole numbers of eight bits as weights."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

# The ways to quantize. `int8`: the weights of embeddings, dense layers and LSTMs are rounded to 256
# steps each, and what these layers read is rounded as it comes (dynamic quantization). Onnxruntime
# has no such operator for the other recurrent layers; those of convolutions are slower than floats.
QUANTIZERS = {"int8": ("Gather", "MatMul", "LSTM")}


def quantize(network: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Returns a network with rounded weights.

    Args:
        network: as it was written.
        name: a key of `QUANTIZERS`.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, _without_advice():
        path = Path(folder) / "network.onnx"
        quantize_dynamic(
            network, path, op_types_to_quantize=[*QUANTIZERS[name]], weight_type=QuantType.QInt8
        )
        return onnx.load(path)


@contextmanager
def _without_advice() -> Iterator[None]:
    """Holds back the advice to prepare networks of other makers, which the root logger gets."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
