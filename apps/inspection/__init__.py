"""What a data set holds, and what a training would make of it; nothing here needs TensorFlow."""
