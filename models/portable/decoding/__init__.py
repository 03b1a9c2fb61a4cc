"""Texts token by token, by numpy: language models and translators without TensorFlow."""
