"""The worker of TensorFlow for `generation.py`: the suite's graph, and `model.predict` a token."""

import itertools
import time

import keras
import numpy as np
import tensorflow as tf

from apps.tasks.generation.config import GenerationOptions
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import TokenizerVocabulary
from harness.workers import serve
from models.language_model.language_model import LanguageModel
from models.serving.generator import TextGenerator

# As many characters as the model has tokens beside the special ones.
_FIRST, _SPECIAL = 0x100, 4


class Engine:
    """Holds one model and times it."""

    def prepare(self, weights: str, length: int) -> list[int]:
        """Builds the model; returns what it writes greedily, as ids."""
        with np.load(weights) as arrays:
            values = list(arrays.values())
        vocabulary_size, embedding_dim = values[0].shape
        units, num_layers = values[2].shape[0], (len(values) - 3) // 3
        recurrent = {"cell": "lstm", "units": units, "num_layers": num_layers}
        self.model = LanguageModel(vocabulary_size, embedding_dim, recurrent)
        self.model.set_weights(values)
        characters = (chr(_FIRST + i) for i in range(vocabulary_size - _SPECIAL))
        self.tokenizer = Tokenizer(TokenizerVocabulary("characters", tuple(characters)))
        # The length is a scalar tensor of it: one graph serves all.
        self.generator = TextGenerator(self.tokenizer, self.model, GenerationOptions(), ends=False)
        rounded_model = self.model.for_export()
        rounded_model.round_weights()
        rounded = TextGenerator(
            self.tokenizer, rounded_model, GenerationOptions(), ends=False, compiled=False
        )
        self.graphs = {"graph": _sampling(self.generator), "rounded": _sampling(rounded)}
        self.step = _step_model(self.model)
        self.seed = 0
        for way, batch in itertools.product(self.graphs, (1, 32)):
            self.round(way, batch, 8)
        self.round("predict", 1, 2)
        options = GenerationOptions(greedy=True, max_length=32)
        greedy = TextGenerator(self.tokenizer, self.model, options, ends=False)
        text = greedy.serve(tf.constant([""]))["texts"]
        return self.tokenizer.encode(text)[0].numpy().tolist()

    def round(self, way: str, batch: int, length: int) -> float:
        """Tokens a second."""
        self.seed += 1
        started = time.perf_counter()
        if way in self.graphs:
            prompts = tf.constant([""] * batch)
            self.graphs[way](prompts, tf.constant(length), tf.constant(self.seed)).numpy()
        else:
            self._predict(length)
        return batch * length / (time.perf_counter() - started)

    def _predict(self, length: int) -> None:
        """One call of `model.predict` for each token, with the states of the one before."""
        generator = np.random.default_rng(self.seed)
        token = np.array([[2]], np.int32)
        states = [np.zeros(each.shape, np.float32) for each in self.model.initial_states(1)]
        for _ in range(length):
            logits, *states = self.step.predict([token, *states], verbose=0)
            shares = np.exp(logits[0, _SPECIAL:] - logits[0, _SPECIAL:].max())
            token[0, 0] = _SPECIAL + generator.choice(len(shares), p=shares / shares.sum())


def _sampling(generator: TextGenerator) -> tf.types.experimental.PolymorphicFunction:
    """Returns the graph of a generator that samples texts from prompts, a length and a seed."""
    options = GenerationOptions()
    choices = options.temperature, options.top_k, options.top_p

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([], tf.int32),
        ]
    )
    def sample(prompts, length, seed):
        return generator.generate(prompts, length, *choices, seed)["texts"]

    return sample


def _step_model(model: LanguageModel) -> keras.Model:
    """The same weights in Keras' own layers, from a token and states to logits and states."""
    settings = model.settings
    recurrent = settings["recurrent"]
    token_ids = keras.Input((1,), dtype="int32")
    x = keras.layers.Embedding(settings["vocabulary_size"], settings["embedding_dim"])(token_ids)
    inputs, outputs = [token_ids], []
    for _ in range(recurrent["num_layers"]):
        states = [keras.Input((recurrent["units"],)) for _ in range(2)]
        layer = keras.layers.LSTM(recurrent["units"], return_sequences=True, return_state=True)
        x, *after = layer(x, initial_state=states)
        inputs, outputs = inputs + states, outputs + after
    logits = keras.layers.Dense(settings["vocabulary_size"])(x[:, -1])
    made = keras.Model(inputs, [logits, *outputs])
    *weights, matrix, bias = model.get_weights()
    made.set_weights([*weights, matrix.T, bias])
    return made


if __name__ == "__main__":
    engine = Engine()
    serve({"prepare": engine.prepare, "round": engine.round})
