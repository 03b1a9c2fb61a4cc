"""The names that options accept and what implements each; importable without TensorFlow.

A new cell, pooling or schedule is one line here and one class in its module.
"""

# models.recurrent: classes of keras.layers.
CELLS = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}

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
