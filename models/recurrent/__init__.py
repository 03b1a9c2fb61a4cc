"""Recurrent layers: cells, stacks and the compiled loop."""

from models.recurrent.factory import recurrent_layer
from models.recurrent.stack import RecurrentStack, recurrent_stack

__all__ = ["RecurrentStack", "recurrent_layer", "recurrent_stack"]
