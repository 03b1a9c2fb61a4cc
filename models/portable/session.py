"""The network in onnxruntime."""

import numpy as np
import onnxruntime


class Network:
    """An ONNX model.

    Args:
        content: of the file.
    """

    def __init__(self, content: bytes) -> None:
        options = onnxruntime.SessionOptions()
        # Threads that wait for work would spin: on few cores that costs more than it brings.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Of constants that nobody needs in the optimised graph.
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {each.name for each in self._session.get_inputs()}
        self._outputs = [each.name for each in self._session.get_outputs()]

    def run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Returns the output of a network that has one."""
        return self._session.run(None, inputs)[0]

    def run_all(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns all outputs by name; inputs that the network does not read are left out."""
        read = {name: each for name, each in inputs.items() if name in self._inputs}
        return dict(zip(self._outputs, self._session.run(None, read), strict=True))
