"""The names that options accept, importable without TensorFlow.

What implements a name stands in a table of the module that is named above it.
"""

# models.recurrent.factory
CELLS = (
    "simple_rnn",
    "lstm",
    "gru",
    "peephole_lstm",
    "coupled_lstm",
    "layer_norm_lstm",
    "layer_norm_gru",
)

# keras.initializers, those that need no further value
KERAS_INITIALIZERS = (
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "zeros",
)
# Of the weights of the state, models.recurrent.initializers.
INITIALIZERS = (*KERAS_INITIALIZERS, "gate_orthogonal")

# The arguments of models.recurrent.stack.RecurrentStack that are options of a training, too.
RECURRENT_OPTIONS = (
    "cell",
    "units",
    "num_layers",
    "bidirectional",
    "dropout",
    "recurrent_dropout",
    "weight_drop",
    "forget_bias",
    "chrono_length",
    "l1",
    "l2",
    "kernel_initializer",
    "recurrent_initializer",
    "residual",
    "layer_normalization",
)

# models.layers.pooling
POOLINGS = ("last", "mean", "max", "attention")

# models.layers.characters
CHARACTER_ENCODERS = ("convolution", "recurrent")

# models.attention.factory
ATTENTIONS = ("additive", "dot", "general", "concat", "local-m", "local-p")

# models.optimization.schedules
SCHEDULES = ("constant", "linear", "cosine", "exponential")

# models.classification.thresholds
THRESHOLDS = ("none", "prior", "f1")

# models.tagging.tagger: what turns emissions into tags.
HEADS = ("crf", "softmax")

# models.seq2seq.decoder: what a step reads of the attention. Nothing, so that one pass runs all
# steps of a training; the attentional vector of the previous step (Luong et al. 2015, section 3.3);
# or the context of the previous state (Bahdanau et al. 2015).
FEEDINGS = ("none", "attentional", "context")

# Each precision and its dtype policy in Keras; weights, logits and the loss are float32 in all.
PRECISIONS = {
    "none": "float32",
    "float16": "mixed_float16",
    "bfloat16": "mixed_bfloat16",
}

# models.captioning.image_encoder: a small one that learns with the decoder, and a trained one.
IMAGE_ENCODERS = ("small-cnn", "efficientnet-lite0")
# keras.applications
KERAS_BACKBONES = (
    *(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
    *("DenseNet121", "DenseNet169", "DenseNet201"),
    *(f"EfficientNetB{number}" for number in range(8)),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *("InceptionResNetV2", "InceptionV3"),
    *("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"),
    *("NASNetMobile", "NASNetLarge"),
    *("ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"),
    *("VGG16", "VGG19", "Xception"),
)
# What a captioner's decoder looks at the places of a picture with: those without a window, as
# places are no sequence.
PLACE_ATTENTIONS = ("additive", "dot", "general", "concat")
