"""Attention layers: global, local and self-attention."""
