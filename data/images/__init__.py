"""Files of pictures: photographs and drawings in any common format."""
