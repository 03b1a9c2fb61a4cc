"""The optimizer, gradient norms and learning rates."""
