"""The names that options accept and what implements each; importable without TensorFlow.

A new cell, pooling or schedule is one line here and one class in its module.
"""

# Layers of models.recurrent_layers, which Keras has too, and cells of models.cells.
CELLS = {
    "simple_rnn": "SimpleRNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "peephole_lstm": "PeepholeLSTMCell",
    "coupled_lstm": "CoupledLSTMCell",
    "layer_norm_lstm": "LayerNormLSTMCell",
    "layer_norm_gru": "LayerNormGRUCell",
}

# models.pooling: classes there.
POOLINGS = {
    "last": "LastState",
    "mean": "MaskedMean",
    "max": "MaskedMax",
    "attention": "AttentionPooling",
}

# models.schedules: functions there.
SCHEDULES = {
    "constant": "constant",
    "linear": "linear",
    "cosine": "cosine",
    "exponential": "exponential",
}

# Keras' dtype policies; weights, logits and the loss are float32 in all.
PRECISIONS = {
    "none": "float32",
    "float16": "mixed_float16",
    "bfloat16": "mixed_bfloat16",
}

# models.embedding and models.characters: classes there.
CHARACTER_ENCODERS = {"convolution": "CharacterConvolution", "recurrent": "CharacterRecurrence"}

# How a word is written, and the pattern that says so; the first one that matches counts. Ids follow
# from 1 on; the last one is for what none matches.
CASES = {
    "number": r"[\p{P}\p{S}]*\p{N}[\p{N}\p{P}]*",
    "with digits": r".*\p{N}.*",
    "signs": r"[^\p{L}]*",
    "capital": r"[^\p{L}]*\p{Lu}[^\p{L}]*",
    "all capitals": r"[^\p{Ll}]*\p{Lu}[^\p{Ll}]*",
    "capitalised": r"[^\p{L}]*\p{Lu}[^\p{Lu}]*",
    "capitals inside": r".*\p{Lu}.*",
    "small": r".*",
}

# models.tagger: how emissions become tags.
HEADS = ("crf", "softmax")
