"""Attention layers: global, local and self-attention."""

from models.attention.factory import attention_layer

__all__ = ["attention_layer"]
