"""The REST protocol of TensorFlow Serving: bodies to texts, and answers to bodies."""

from typing import Any

from apps.server.errors import Refusal

SIGNATURE = "serving_default"
# What an instance, or the inputs, may call the texts.
_NAMES = ("texts", "text")


def texts_of(body: dict[str, Any]) -> tuple[list[Any], str, bool]:
    """Returns the texts of a body, where they stand, and whether the answer goes by rows.

    Raises:
        Refusal: it has neither instances nor inputs, or both, or another signature.
    """
    signature = body.get("signature_name", SIGNATURE)
    if signature not in (SIGNATURE, ""):
        raise Refusal(404, f"no signature {str(signature)[:60]!r}. There is: {SIGNATURE}")
    if ("instances" in body) == ("inputs" in body):
        raise Refusal(400, "the body takes instances or inputs, one of them. Send a list of texts")
    if "instances" in body:
        found = body["instances"]
        if not isinstance(found, list):
            raise Refusal(400, "instances is no list. Send a list of texts")
        return [_text_of(each) for each in found], "instances", True
    found = body["inputs"]
    if isinstance(found, dict):
        name = next((name for name in _NAMES if name in found), None)
        if name is None or len(found) > 1:
            raise Refusal(400, f"inputs takes {_NAMES[0]} alone")
        found = found[name]
    return [found] if isinstance(found, str) else found, "inputs", False


def _text_of(instance: Any) -> Any:
    """Returns the text of an instance: itself, or the only value of an object."""
    if isinstance(instance, dict) and len(instance) == 1:
        ((name, value),) = instance.items()
        return value if name in _NAMES else instance
    return instance


def answer_of(rows: list[dict[str, Any]], by_rows: bool) -> dict[str, Any]:
    """Returns the body of an answer."""
    if by_rows:
        return {"predictions": rows}
    return {"outputs": {name: [row.get(name) for row in rows] for name in rows[0]}}


def status_of(number: int | None) -> dict[str, Any]:
    """Returns what the protocol says of a model, by its version; None: it is being loaded."""
    state = "LOADING" if number is None else "AVAILABLE"
    status = {"error_code": "OK", "error_message": ""}
    return {
        "model_version_status": [{"version": str(number or 1), "state": state, "status": status}]
    }


def metadata_of(name: str, number: int, columns: dict[str, str]) -> dict[str, Any]:
    """Returns the metadata of a model.

    Args:
        name: of the model.
        number: of the version that answers.
        columns: types of the answer, as `apps.server.protocols.inference.datatype_of` has them.
    """
    kinds = {"BYTES": "DT_STRING", "FP64": "DT_DOUBLE", "INT64": "DT_INT64"}

    def tensor(dtype: str) -> dict[str, Any]:
        shape = {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
        return {"dtype": dtype, "tensor_shape": shape, "name": ""}

    signature = {
        "inputs": {"texts": tensor("DT_STRING")},
        "outputs": {column: tensor(kinds[dtype]) for column, dtype in columns.items()},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": name, "signature_name": "", "version": str(number)},
        "metadata": {"signature_def": {"signature_def": {SIGNATURE: signature}}},
    }
