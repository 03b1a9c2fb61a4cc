"""Recurrent layers: cells, stacks and the compiled loop."""
