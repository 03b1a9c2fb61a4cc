"""The recurrences as a TensorFlow operator in C++, compiled where it is used first."""
