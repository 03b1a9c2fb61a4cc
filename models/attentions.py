"""The attentions by name."""

from data.errors import choose
from models import attention, local_attention
from models.names import ATTENTIONS


def attention_layer(name: str, units: int, window: int = 4) -> attention.Attention:
    """An attention by its name in `models.names.ATTENTIONS`.

    Args:
        name: of it.
        units: size of the queries, and of the projections where there are some.
        window: of local attention, positions on either side.

    Raises:
        ValueError: unknown name.
    """
    class_name = choose("attention", name, ATTENTIONS)
    if hasattr(attention, class_name):
        return getattr(attention, class_name)(units, name="attention")
    return getattr(local_attention, class_name)(units, window, name="attention")
