"""Silero's detector of voices, whose network faster-whisper carries."""

import numpy as np

# Frames that go before those that are asked for: the network begins anew with each call.
_LEAD = 32


class SileroDetector:
    """Says how probable speech is, by a recurrent network."""

    frame = 512

    def __init__(self) -> None:
        from faster_whisper.vad import get_vad_model

        self._model = get_vad_model()
        self._lead = np.empty(0, np.float32)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Returns a probability for each frame of 32 ms.

        Args:
            block: the samples that follow the last block, of shape [frames * 512].
        """
        samples = np.concatenate([self._lead, block]).astype(np.float32)
        self._lead = samples[-_LEAD * self.frame :]
        # The model overwrites the end of what it gets.
        probabilities = self._model(np.pad(samples, (0, self.frame))).reshape(-1)[:-1]
        return probabilities[-(len(block) // self.frame) :]
