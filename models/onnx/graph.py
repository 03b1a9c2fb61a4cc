"""An ONNX graph while it is written: its nodes, its weights and its inputs."""

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

# The operators' set, and the file's version: old enough for the onnxruntime of last year.
OPSET, IR_VERSION = 18, 10

_TYPES = {"int32": onnx.TensorProto.INT32, "float32": onnx.TensorProto.FLOAT}


class Graph:
    """Nodes and weights of one ONNX graph; values are known by their names.

    >>> graph = Graph()
    >>> x = graph.input("x", "float32", ("batch", 3))
    >>> doubled = graph.add("Mul", x, graph.constant(2.0))
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: dict[str, onnx.ValueInfoProto] = {}

    def input(self, name: str, dtype: str, shape: tuple[str | int, ...]) -> str:
        """Declares an input, once for all who read it, and returns its name.

        Args:
            name: of the input.
            dtype: `int32` or `float32`.
            shape: sizes, and names for those that are free.
        """
        self._inputs[name] = helper.make_tensor_value_info(name, _TYPES[dtype], list(shape))
        return name

    def constant(self, value: Any, dtype: str = "float32") -> str:
        """Adds a weight and returns its name."""
        name = f"weight_{len(self._weights)}"
        array = np.array(value, dtype, order="C")
        self._weights.append(numpy_helper.from_array(array, name))
        return name

    def add(
        self, operator: str, *inputs: str, outputs: int = 1, take: int = 0, **options: Any
    ) -> str:
        """Adds a node.

        Args:
            operator: the name of an ONNX operator.
            *inputs: names of values, empty for an optional one that is left out.
            outputs: how many the node has.
            take: the place of the output that is wanted.
            **options: the operator's attributes.

        Returns:
            The name of the output.
        """
        names = [f"value_{len(self._nodes)}_{place}" for place in range(outputs)]
        used = [name if place == take else "" for place, name in enumerate(names)]
        self._nodes.append(helper.make_node(operator, list(inputs), used, **options))
        return names[take]

    def add_all(self, operator: str, *inputs: str, outputs: int, **options: Any) -> list[str]:
        """Adds a node of which all outputs are wanted; see `add`. Returns their names."""
        names = [f"value_{len(self._nodes)}_{place}" for place in range(outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **options))
        return names

    def to_model(self, **outputs: tuple[str, tuple[str | int, ...]]) -> onnx.ModelProto:
        """Returns the checked model.

        Args:
            **outputs: by the name that each gets, the value and its shape: sizes, and names for
                those that are free; all are float32.
        """
        named = [helper.make_node("Identity", [value], [n]) for n, (value, _) in outputs.items()]
        graph = helper.make_graph(
            [*self._nodes, *named],
            "network",
            list(self._inputs.values()),
            [
                helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(shape))
                for name, (_, shape) in outputs.items()
            ],
            self._weights,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(model)
        return model
