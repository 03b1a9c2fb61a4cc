"""The suite from Python: what `apps.load` and `apps.train` are, by the code of the commands."""
