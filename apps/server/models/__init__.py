"""The models of a server: their engines, their batches, and their versions."""
