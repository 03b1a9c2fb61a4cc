"""The factory of attention layers: one layer by name."""

from data.errors import choose
from models.attention.global_attention import (
    AdditiveAttention,
    Attention,
    ConcatAttention,
    DotAttention,
    GeneralAttention,
)
from models.attention.local_attention import (
    LocalAttention,
    LocalMonotonicAttention,
    LocalPredictiveAttention,
)

ATTENTIONS: dict[str, type[Attention]] = {
    "additive": AdditiveAttention,
    "dot": DotAttention,
    "general": GeneralAttention,
    "concat": ConcatAttention,
    "local-m": LocalMonotonicAttention,
    "local-p": LocalPredictiveAttention,
}


def attention_layer(name: str, units: int, window: int = 4) -> Attention:
    """Builds an attention by its name.

    Args:
        name: one of `models.registry.ATTENTIONS`.
        units: size of the queries, and of the projections where there are some.
        window: of local attention, positions on either side.

    Raises:
        ValueError: unknown name.
    """
    layer_class = choose("attention", name, ATTENTIONS)
    options = {"window": window} if issubclass(layer_class, LocalAttention) else {}
    return layer_class(units, **options, name="attention")
