"""Captions of pictures: an encoder of images, and a decoder that looks at what it found."""
