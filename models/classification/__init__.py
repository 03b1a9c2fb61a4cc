"""Text classifiers, and what decides, calibrates and explains their answers."""
