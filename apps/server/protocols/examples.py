"""Examples of requests and responses for the OpenAPI description."""

from collections.abc import Collection
from typing import Any

_TEXT = "I loved it"
_ROW = {"predicted_label": "positive", "predicted_score": 0.98}
_ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
_TEXTS = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "minItems": 1,
    "maxItems": 256,
}
_ERRORS = {
    400: "The body is not what this route takes.",
    401: "The token is missing or wrong.",
    404: "There is no such model, or version.",
    408: "The body came too slowly.",
    413: "The body, the list of texts, or a text is too large.",
    415: "The body is not JSON.",
    422: "An option does not suit the model.",
    429: "Too many requests a second.",
    503: "Too many texts wait, or the model is not ready.",
}


def describe(
    properties: dict[str, Any],
    required: list[str],
    example: Any,
    answer: Any,
    kind: str = "",
    more: bool = True,
) -> dict[str, Any]:
    """Returns the arguments of a route that say what it takes and answers.

    Args:
        properties: of the body.
        required: of them.
        example: of the body.
        answer: an example of the answer.
        kind: the type of the answer, if not JSON.
        more: whether other properties are passed over, not refused.
    """
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    if not more:
        schema["additionalProperties"] = False
    content = {"application/json": {"schema": schema, "example": example}}
    return {
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
        "responses": {
            200: {
                "description": "The answers.",
                "content": {kind or "application/json": {"example": answer}},
            },
            **refusals(*_ERRORS),
        },
    }


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Returns the responses of requests that get no answer."""
    content = {"application/json": {"schema": _ERROR}}
    return {each: {"description": _ERRORS[each], "content": content} for each in statuses}


_OPTIONS = {"type": "object", "description": "Of the model; GET /api lists their names."}

PLAIN = describe(
    {"texts": _TEXTS, "options": _OPTIONS},
    ["texts"],
    {"texts": [_TEXT]},
    {"model": "reviews", "version": 1, "answers": [_ROW]},
    more=False,
)
STREAM = describe(
    {"texts": _TEXTS, "options": _OPTIONS},
    ["texts"],
    {"texts": ["Once upon"], "options": {"max_length": 40, "temperature": 0.7}},
    'event: piece\ndata: {"text":0,"piece":" a time"}\n\n',
    "text/event-stream",
    more=False,
)
PREDICT = describe(
    {"instances": _TEXTS, "signature_name": {"type": "string", "enum": ["serving_default"]}},
    ["instances"],
    {"instances": [_TEXT]},
    {"predictions": [_ROW]},
)
INFER = describe(
    {
        "id": {"type": "string"},
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "datatype", "shape", "data"],
                "properties": {
                    "name": {"enum": ["texts"]},
                    "datatype": {"enum": ["BYTES"]},
                    "shape": {"type": "array", "items": {"type": "integer"}},
                    "data": _TEXTS,
                },
            },
        },
    },
    ["inputs"],
    {"inputs": [{"name": "texts", "datatype": "BYTES", "shape": [1], "data": [_TEXT]}]},
    {
        "model_name": "reviews",
        "model_version": "1",
        "outputs": [
            {
                "name": "predicted_label",
                "datatype": "BYTES",
                "shape": [1],
                "data": ["positive"],
            }
        ],
    },
)


def name_models(description: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Returns the description of a server with the names of its models as the values of `name`."""
    for path in description["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "name":
                    parameter["schema"] = {"type": "string", "enum": [*names]}
    return description
