"""The search for better options: trials of a training, chosen by what the earlier ones gave."""
