"""The worker of PyTorch for `generation.py`: a loop of one token at a time."""

import time

import numpy as np
import torch

from harness.workers import serve

_SPECIAL, _START = 4, 2


class LanguageModel(torch.nn.Module):
    """Embedding -> LSTM layers -> logits, with the weights of Keras' layers.

    Args:
        values: as `generation.write_weights` has them.
    """

    def __init__(self, values: list[np.ndarray]):
        super().__init__()
        units, num_layers = values[2].shape[0], (len(values) - 3) // 3
        self.embedding = torch.nn.Embedding(*values[0].shape)
        self.lstm = torch.nn.LSTM(values[0].shape[1], units, num_layers)
        self.dense = torch.nn.Linear(units, values[-1].shape[0])
        with torch.no_grad():
            self.embedding.weight.copy_(torch.from_numpy(values[0]))
            for layer in range(num_layers):
                kernel, recurrent, bias = values[1 + 3 * layer : 4 + 3 * layer]
                # Both order the gates alike: input, forget, cell, output.
                for name, value in (
                    ("weight_ih", kernel.T),
                    ("weight_hh", recurrent.T),
                    ("bias_ih", bias),
                    ("bias_hh", np.zeros_like(bias)),
                ):
                    weight = getattr(self.lstm, f"{name}_l{layer}")
                    weight.copy_(torch.from_numpy(np.ascontiguousarray(value)))
            self.dense.weight.copy_(torch.from_numpy(values[-2]))
            self.dense.bias.copy_(torch.from_numpy(values[-1]))

    def forward(self, token, states):
        """Logits <float32>[vocabulary_size] of one token <int64>[1], and the states after it."""
        outputs, states = self.lstm(self.embedding(token), states)
        return self.dense(outputs[-1]), states


class Engine:
    """Holds one model and times it."""

    def prepare(self, weights: str, length: int) -> list[int]:
        """Builds the model; returns what it writes greedily, as ids."""
        with np.load(weights) as arrays:
            self.model = LanguageModel(list(arrays.values())).eval()
        self._write(8, self._sampled)
        return self._write(32, lambda logits: logits.argmax(keepdim=True))

    def round(self, threads: int, length: int) -> float:
        """Tokens a second."""
        torch.set_num_threads(threads)
        started = time.perf_counter()
        self._write(length, self._sampled)
        return length / (time.perf_counter() - started)

    @staticmethod
    def _sampled(logits):
        return torch.multinomial(torch.softmax(logits, dim=-1), 1)

    def _write(self, length: int, choose) -> list[int]:
        token, states, written = torch.tensor([_START]), None, []
        with torch.inference_mode():
            for _ in range(length):
                logits, states = self.model(token, states)
                token = choose(logits[_SPECIAL:]) + _SPECIAL
                written.append(token)
        return torch.cat(written).tolist()


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    engine = Engine()
    serve({"prepare": engine.prepare, "round": engine.round})
