"""Training: fitting, epochs, checkpoints and what watches over them."""
