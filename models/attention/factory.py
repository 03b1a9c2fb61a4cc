"""The attentions by name."""

from data.errors import choose
from models.attention import global_attention, local_attention
from models.registry import ATTENTIONS


def attention_layer(name: str, units: int, window: int = 4) -> global_attention.Attention:
    """An attention by its name in `models.registry.ATTENTIONS`.

    Args:
        name: of it.
        units: size of the queries, and of the projections where there are some.
        window: of local attention, positions on either side.

    Raises:
        ValueError: unknown name.
    """
    class_name = choose("attention", name, ATTENTIONS)
    if hasattr(global_attention, class_name):
        return getattr(global_attention, class_name)(units, name="attention")
    return getattr(local_attention, class_name)(units, window, name="attention")
