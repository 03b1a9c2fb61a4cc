"""Each task fulfils the interfaces that it claims, with their signatures, and no others."""

import inspect

import pytest

from apps.tasks.classification.bias import BiasReport, BiasRequest
from apps.tasks.loading import (
    load_chat,
    load_classification,
    load_generation,
    load_seq2seq,
    load_tagging,
)
from apps.tasks.task import (
    Configurable,
    Conversing,
    Ensembling,
    Interactive,
    Measured,
    Measurement,
    Refitting,
    Report,
    Task,
)

OPTIONAL = {Configurable, Conversing, Ensembling, Interactive, Refitting}
CLAIMS = {
    load_classification: {Ensembling},
    load_tagging: {Ensembling, Refitting},
    load_generation: {Configurable, Ensembling, Interactive},
    load_seq2seq: {Configurable, Ensembling},
    load_chat: {Configurable, Conversing, Ensembling},
}


def methods_of(protocol):
    """The public methods of a Protocol and of those that it extends."""
    classes = [each for each in protocol.__mro__ if getattr(each, "_is_protocol", False)]
    return {
        name: method
        for each in classes
        for name, method in vars(each).items()
        if not name.startswith("_") and callable(getattr(each, name))
    }


def parameters_of(method):
    """Name, kind and whether there is a default, of all parameters but the object or class."""
    found = inspect.signature(getattr(method, "__func__", method)).parameters.values()
    return [
        (parameter.name, parameter.kind, parameter.default is not parameter.empty)
        for parameter in found
        if parameter.name not in ("self", "cls")
    ]


def lacks(cls, protocol):
    """The methods of a Protocol that a class lacks or declares otherwise."""
    return {
        name
        for name, wanted in methods_of(protocol).items()
        if (own := inspect.getattr_static(cls, name, None)) is None
        or parameters_of(own) != parameters_of(wanted)
        or (isinstance(wanted, classmethod) and not isinstance(own, classmethod))
    }


@pytest.mark.parametrize("load", CLAIMS, ids=lambda load: load.__name__)
def test_a_task_has_what_it_claims_and_nothing_else(load):
    task = load()
    for protocol in (Task, *CLAIMS[load]):
        assert lacks(task, protocol) == set()
    for protocol in OPTIONAL - CLAIMS[load]:
        assert not issubclass(task, protocol)


@pytest.mark.parametrize("load", CLAIMS, ids=lambda load: load.__name__)
def test_a_task_measures_reports(load):
    returned = inspect.signature(load().read_report).return_annotation
    assert lacks(returned, Report) == set()


def test_a_bias_request_is_a_measurement():
    assert lacks(BiasRequest, Measurement) == lacks(BiasReport, Measured) == set()
    assert BiasRequest.name == "bias"


class Lacking:
    """A task of one method, which takes something else."""

    def describe(self, more):
        return {}

    def set_options(self, options):
        pass

    def build(self, config, corpus, pretrained=None):
        return self


def test_a_method_that_is_missing_or_takes_something_else_is_found():
    assert lacks(Lacking, Configurable) == set()
    found = lacks(Lacking, Task)
    assert {"describe", "save", "serving", "build"} <= found
