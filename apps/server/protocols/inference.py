"""The Open Inference Protocol, version 2: tensors of a body to texts, and answers to tensors."""

import json
import math
from typing import Any

from apps.server.errors import Refusal

INPUT = "texts"


def texts_of(body: dict[str, Any]) -> list[Any]:
    """Returns the texts of a body.

    Raises:
        Refusal: it has not one input of texts, or data of another shape than it says.
    """
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise Refusal(400, f"inputs takes a list of one tensor, {INPUT!r}")
    tensor = inputs[0]
    if tensor.get("name") != INPUT:
        raise Refusal(400, f"inputs[0].name is {str(tensor.get('name'))[:60]!r}. Send {INPUT!r}")
    if tensor.get("datatype") != "BYTES":
        raise Refusal(400, "inputs[0].datatype takes BYTES")
    if "data" not in tensor:
        raise Refusal(400, "inputs[0] has no data. Send it as JSON: tritonclient binary_data=False")
    data, shape = _flatten(tensor["data"]), tensor.get("shape")
    sizes: list[Any] = shape if isinstance(shape, list) else [None]
    if not all(isinstance(size, int) and 0 <= size < 2**31 for size in sizes):
        raise Refusal(400, f"inputs[0].shape takes the number of texts, [{len(data)}]")
    if math.prod(sizes) != len(data):
        raise Refusal(400, f"inputs[0].shape is of another size than its data: {len(data)} text(s)")
    return data


def _flatten(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise Refusal(400, "inputs[0].data is no list. Send a list of texts")
    flat = []
    for each in data:
        # A column of one text a row.
        flat += each if isinstance(each, list) else [each]
    return flat


def answer_of(
    body: dict[str, Any], name: str, number: int, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Returns the body of an answer: a tensor a column.

    Args:
        body: of the request, which may name the outputs it wants.
        name: of the model.
        number: of its version.
        rows: the output columns of each text.

    Raises:
        Refusal: an output is wanted that the model does not have.
    """
    columns = {column: [row.get(column) for row in rows] for column in rows[0]}
    wanted = body.get("outputs")
    if wanted:
        names: list[Any] = [
            each.get("name") if isinstance(each, dict) else None for each in _listed(wanted)
        ]
        for each in names:
            if not isinstance(each, str) or each not in columns:
                raise Refusal(400, f"no output {str(each)[:60]!r}. There are: {', '.join(columns)}")
        columns = {each: columns[each] for each in names}
    answer: dict[str, Any] = {"model_name": name, "model_version": str(number)}
    if isinstance(body.get("id"), str):
        answer["id"] = body["id"][:1000]
    answer["outputs"] = [_tensor(column, values) for column, values in columns.items()]
    return answer


def _listed(wanted: Any) -> list[Any]:
    if not isinstance(wanted, list):
        raise Refusal(400, "outputs is no list. Send a list of objects with a name")
    return wanted


def _tensor(name: str, values: list[Any]) -> dict[str, Any]:
    datatype = datatype_of(values)
    if datatype == "BYTES":
        values = [each if isinstance(each, str) else _text(each) for each in values]
    return {"name": name, "datatype": datatype, "shape": [len(values)], "data": values}


def datatype_of(values: list[Any]) -> str:
    """Returns the type of a column; what is no number is text, or JSON as text."""
    if all(isinstance(each, float) for each in values):
        return "FP64"
    if all(isinstance(each, int) and not isinstance(each, bool) for each in values):
        return "INT64"
    return "BYTES"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def metadata_of(name: str, number: int, application: str, columns: dict[str, str]) -> dict:
    """Returns the metadata of a model; see `apps.server.protocols.tensorflow.metadata_of`."""
    return {
        "name": name,
        "versions": [str(number)],
        "platform": f"recurrent-text-suite_{application}",
        "inputs": [{"name": INPUT, "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": column, "datatype": datatype, "shape": [-1]}
            for column, datatype in columns.items()
        ],
    }
