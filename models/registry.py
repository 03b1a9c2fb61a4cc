"""The names that options accept and what implements each; importable without TensorFlow.

A new cell, pooling or schedule is one line here and one class in its module.
"""

# Layers of models.recurrent.layers, which Keras has too, and cells of models.recurrent.cells.
CELLS = {
    "simple_rnn": "SimpleRNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "peephole_lstm": "PeepholeLSTMCell",
    "coupled_lstm": "CoupledLSTMCell",
    "layer_norm_lstm": "LayerNormLSTMCell",
    "layer_norm_gru": "LayerNormGRUCell",
}

# models.layers.pooling: classes there.
POOLINGS = {
    "last": "LastState",
    "mean": "MaskedMean",
    "max": "MaskedMax",
    "attention": "AttentionPooling",
}

# models.optimization.schedules: functions there.
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

# models.classification.thresholds: functions there.
THRESHOLDS = {
    "none": "even",
    "prior": "by_prior",
    "f1": "by_f1",
}

# models.layers.embedding and models.layers.characters: classes there.
CHARACTER_ENCODERS = {"convolution": "CharacterConvolution", "recurrent": "CharacterRecurrence"}

# models.tagging.tagger: how emissions become tags.
HEADS = ("crf", "softmax")

# models.attention.global_attention and models.attention.local_attention: classes there.
ATTENTIONS = {
    "additive": "AdditiveAttention",
    "dot": "DotAttention",
    "general": "GeneralAttention",
    "concat": "ConcatAttention",
    "local-m": "LocalMonotonicAttention",
    "local-p": "LocalPredictiveAttention",
}

# models.seq2seq.decoder: what of the attention a step's input holds. Nothing, so that all
# steps of a training are one pass; the attentional vector of the step before (Luong et al. 2015,
# section 3.3); or the context of the state before (Bahdanau et al. 2015).
FEEDINGS = ("none", "attentional", "context")
