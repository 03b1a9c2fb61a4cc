"""The options that all applications share."""

from dataclasses import dataclass
from typing import ClassVar

from apps.config.options import option
from data.registry import GLOVE
from models.registry import CELLS, PRECISIONS, SCHEDULES

# Of a state or a token's vector: with a larger one no machine holds the weights.
LARGEST_STATE = 65_536
# More seeds or layers are a slip of the hand.
_MOST_SEEDS, _MOST_LAYERS = 1000, 100


@dataclass(frozen=True)
class TrainingConfig:
    """Options of every application: the data, the recurrent stack and its training."""

    # Whether answers are scores of classes: what ensembles, bias reports and explanations need.
    classifies: ClassVar[bool] = False
    # What the runs hold that `--init-from` takes, see `apps.runs.init_from.kind_of`.
    begins_with: ClassVar[tuple[str, ...]] = ("text_generation",)
    # An option of those configurations whose trainings can begin with a trained model.
    init_from: ClassVar[str | None] = None
    # Likewise where a second training may have the validation split's texts, see
    # `apps.commands.refit`.
    refit: ClassVar[bool] = False

    dataset: str = option("sample", "sample, a named corpus, or the path of a file")
    data_dir: str | None = option(None, "folder with the original files of named corpora")
    epochs: int = option(20, "passes over the training data, at most", at_least=1)
    batch_size: int = option(64, "examples a step", at_least=1)
    batch_tokens: int = option(
        0, "tokens a step, padding included, instead of --batch-size; 0: by examples", at_least=0
    )
    learning_rate: float = option(2e-3, "of Adam, at its highest", at_least=0.0)
    schedule: str = option("cosine", "how the learning rate falls after the warm-up", SCHEDULES)
    warmup: float = option(0.5, "epochs in which the learning rate rises", at_least=0.0)
    clip_norm: float = option(
        1.0, "scale gradients down to this global norm; 0: never", at_least=0.0
    )
    patience: int = option(
        3, "epochs without a better validation metric before it stops", at_least=1
    )
    accumulate: int = option(
        1, "steps whose gradients are averaged before the weights change", at_least=1
    )
    average_weights: float = option(
        0.0,
        "decay of the weights' moving average, which is validated and saved; 0: no average",
        at_least=0.0,
        below=1.0,
    )
    mixed_precision: str = option(
        "none", "half precision in which the training computes", PRECISIONS
    )
    jit: bool = option(False, "compile the whole training step with XLA")
    devices: int = option(0, "GPUs that share each batch, at most; 0: all there are", at_least=0)
    seed: int = option(0, "of weights, dropout and order", at_least=0)
    seeds: int = option(
        1,
        "train this often, with --seed, --seed + 1, ...; the best on validation is the model",
        at_least=1,
        at_most=_MOST_SEEDS,
    )
    ensemble: bool = option(False, "with --seeds: the mean of all of them is the model")
    checkpoint_seconds: float = option(
        60.0, "between two checkpoints, for --resume; there is one after each epoch", at_least=0.0
    )
    deterministic: bool = option(False, "repeat a run exactly (slower)")
    cell: str = option("gru", "recurrent cell", CELLS)
    units: int = option(96, "state size of each direction", at_least=1, at_most=LARGEST_STATE)
    num_layers: int = option(1, "recurrent layers", at_least=1, at_most=_MOST_LAYERS)
    bidirectional: bool = option(True, "read forward and backward")
    residual: bool = option(False, "add each layer's input to its output")
    layer_normalization: bool = option(False, "normalise each layer's output")
    dropout: float = option(
        0.4, "share dropped before, between and after layers", at_least=0.0, below=1.0
    )
    recurrent_dropout: float = option(
        0.0, "share of the state dropped between steps", at_least=0.0, below=1.0
    )
    weight_drop: float = option(
        0.0, "share of the state weights dropped in a training step", at_least=0.0, below=1.0
    )
    forget_bias: float | None = option(None, "initial bias of forget gates, if not the cell's own")
    chrono_length: int = option(
        0, "spread the units' memories over this many steps (chrono initialisation)", at_least=0
    )
    l1: float = option(0.0, "penalty on absolute recurrent weights", at_least=0.0)
    l2: float = option(0.0, "penalty on squared recurrent weights", at_least=0.0)
    kernel_initializer: str = option("glorot_uniform", "Keras initializer of input weights")
    recurrent_initializer: str = option(
        "orthogonal", "Keras initializer of state weights, or gate_orthogonal"
    )
    embedding_dim: int = option(64, "size of a token's vector", at_least=1, at_most=LARGEST_STATE)
    vectors: str | None = option(
        None, f"GloVe, fastText or word2vec file (also packed), {GLOVE}, or none", none=True
    )
    freeze_vectors: bool = option(False, "keep the pretrained vectors as they are")
