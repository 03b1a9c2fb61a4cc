"""A tracker that writes down what it is told."""

CALLS = []


class Recorder:
    def __init__(self, uri):
        self.uri = uri

    def begin(self, name, former):
        CALLS.append(("begin", name, former))
        return former or "run-1"

    def log_options(self, options, tags):
        CALLS.append(("options", options, tags))

    def log_metrics(self, metrics, epoch=None):
        CALLS.append(("metrics", metrics, epoch))

    def log_files(self, paths):
        CALLS.append(("files", [path.name for path in paths]))

    def end(self, status):
        CALLS.append(("end", status))
