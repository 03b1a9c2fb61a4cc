"""Text classifiers, and the calibration, decision and explanation of their answers."""
