import json
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROW = {"predicted_label": "long", "score": 0.02, "mode": ""}


def test_plain_json_answers_with_the_columns_of_predict(serving):
    response = serving().post("/api/toy", json={"texts": ["ab", "c"]})
    answers = [ROW, {**ROW, "score": 0.01}]
    assert response.json() == {"model": "toy", "version": 1, "answers": answers}


def test_an_option_chooses_another_way_of_answering(serving):
    client = serving()
    body = {"texts": ["ab"], "options": {"explain": True}}
    assert client.post("/api/toy", json=body).json()["answers"][0]["mode"] == "explain"
    body["options"] = {"explian": True}
    refused = client.post("/api/toy", json=body)
    assert refused.status_code == 422
    assert refused.json()["error"].endswith("There are: explain. Did you mean explain?")


def test_a_field_that_nothing_reads_is_refused_and_an_option_is_sent_where_it_belongs(serving):
    client = serving()
    for field, hint in {"text": ". Did you mean texts?", "explain": ". Send it in options"}.items():
        refused = client.post("/api/toy", json={"texts": ["ab"], field: True})
        assert refused.status_code == 422
        expected = f"no field {field!r}. There are: texts, options{hint}"
        assert refused.json() == {"error": expected}


def test_tensorflow_serving_answers_by_rows_and_by_columns(serving):
    client = serving()
    # As the manual of TensorFlow Serving does: curl -d, which says that it is a form.
    form = {"content-type": "application/x-www-form-urlencoded"}
    rows = client.post(
        "/v1/models/toy:predict", content='{"instances": [{"text": "ab"}]}', headers=form
    )
    assert rows.json() == {"predictions": [ROW]}
    columns = client.post("/v1/models/toy/versions/1:predict", json={"inputs": {"texts": ["ab"]}})
    assert columns.json() == {"outputs": {name: [value] for name, value in ROW.items()}}
    status = client.get("/v1/models/toy").json()["model_version_status"][0]
    assert (status["version"], status["state"]) == ("1", "AVAILABLE")
    signature = client.get("/v1/models/toy/metadata").json()["metadata"]["signature_def"]
    assert signature["signature_def"]["serving_default"]["outputs"]["score"]["dtype"] == "DT_DOUBLE"


def test_the_inference_protocol_answers_a_tensor_a_column(serving):
    client = serving()
    tensor = {"name": "texts", "datatype": "BYTES", "shape": [2, 1], "data": [["ab"], ["c"]]}
    body = {"id": "7", "inputs": [tensor], "outputs": [{"name": "score"}]}
    assert client.post("/v2/models/toy/infer", json=body).json() == {
        "model_name": "toy",
        "model_version": "1",
        "id": "7",
        "outputs": [{"name": "score", "datatype": "FP64", "shape": [2], "data": [0.02, 0.01]}],
    }
    assert client.get("/v2/models/toy/ready").status_code == 200
    assert client.get("/v2/models/toy").json()["inputs"] == [
        {"name": "texts", "datatype": "BYTES", "shape": [-1]}
    ]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": "x"}, "inputs[0].name is 'x'"),
        ({"datatype": "FP32"}, "inputs[0].datatype takes BYTES"),
        ({"shape": [3]}, "inputs[0].shape is of another size"),
        ({"shape": ["a"]}, "inputs[0].shape takes the number of texts, [1]"),
        ({"data": [5]}, "inputs[0].data[0] is a number"),
    ],
)
def test_a_tensor_that_is_none_of_texts_is_refused_with_its_place(serving, change, where):
    tensor = {"name": "texts", "datatype": "BYTES", "shape": [1], "data": ["a"], **change}
    response = serving().post("/v2/models/toy/infer", json={"inputs": [tensor]})
    assert response.status_code == 400 and where in response.json()["error"]


def events(response):
    blocks = response.text.strip().split("\n\n")
    return [
        (kind.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for kind, data in (block.split("\n") for block in blocks)
    ]


def test_a_continuation_streams_as_it_grows(serving):
    body = {"texts": ["once"], "options": {"max_length": 2}}
    response = serving().post("/api/teller/stream", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert events(response) == [
        ("piece", {"text": 0, "piece": " w0"}),
        ("piece", {"text": 0, "piece": " w1"}),
        ("answer", {"text": 0, "continuation": " w0 w1", "log_likelihood": -1.5}),
        ("end", {}),
    ]


def test_other_models_stream_an_answer_a_text(serving):
    response = serving().post("/api/toy/stream", json={"texts": ["a", "b"]})
    assert [kind for kind, _ in events(response)] == ["answer", "answer", "end"]


def test_a_continuation_with_options_is_answered_without_a_stream_too(serving):
    body = {"texts": ["", "a"], "options": {"max_length": 1}}
    answers = serving().post("/api/teller", json=body).json()["answers"]
    assert [each["continuation"] for each in answers] == [" w0", " w0"]


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("POST", "/api/tyo", 404, "no model 'tyo'. There are: toy, teller. Did you mean toy?"),
        ("GET", "/v1/models/toy/versions/7", 404, "no version of toy '7'. There are: 1"),
        ("GET", "/nowhere", 404, "no such address"),
        ("DELETE", "/api/toy", 405, "not by this method"),
    ],
)
def test_what_is_not_there_is_refused_with_what_there_is(serving, method, path, status, message):
    response = serving().request(method, path)
    assert response.status_code == status and message in response.json()["error"]


def test_another_signature_is_refused(serving):
    body = {"instances": ["a"], "signature_name": "x"}
    assert serving().post("/v1/models/toy:predict", json=body).status_code == 404


def test_a_body_larger_than_it_may_be_is_refused_even_if_it_does_not_say_so(serving):
    client = serving(max_body=50)
    pieces = (b'{"texts":["' + b"a" * 60 + b'"]}' for _ in range(1))
    assert client.post("/api/toy", content=pieces).status_code == 413


def test_health_needs_no_token_and_all_else_does(serving, tmp_path):
    (tmp_path / "token").write_text("secret\n")
    client = serving(token_file=str(tmp_path / "token"))
    assert client.get("/v2/health/live").status_code == 200
    for path in ("/metrics", "/api", "/v1/models/toy", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 401, path
    right = {"authorization": "Bearer secret"}
    assert client.get("/api", headers=right).status_code == 200


def test_guesses_of_the_token_count_as_requests(serving, tmp_path):
    (tmp_path / "token").write_text("secret")
    client = serving(token_file=str(tmp_path / "token"), rate=0.001)
    wrong = {"authorization": "Bearer guess"}
    assert [client.get("/api", headers=wrong).status_code for _ in range(2)] == [401, 429]


def test_a_fault_says_nothing_of_what_happened(serving, shown_messages):
    client = serving()
    response = client.post("/api/toy", json={"texts": ["fault"]}, headers={"x-request-id": "r1"})
    assert response.status_code == 500
    assert response.json() == {"error": "a fault of the server. Its log has the request r1"}
    assert response.headers["x-request-id"] == "r1"


def test_a_full_queue_answers_at_once_when_to_come_again(serving, engines):
    client = serving(queue=1, max_texts=1)
    engines["toy"].may_go_on.clear()
    asked = [
        threading.Thread(target=client.post, args=["/api/toy"], kwargs={"json": {"texts": ["a"]}})
        for _ in range(2)
    ]
    for number, thread in enumerate(asked):
        thread.start()
        for _ in range(1000):
            if client.service.models["toy"].waiting == number:
                break
            time.sleep(0.002)
        time.sleep(0.02)
    response = client.post("/api/toy", json={"texts": ["a"]})
    engines["toy"].may_go_on.set()
    for thread in asked:
        thread.join(10)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


def test_a_request_that_takes_too_long_is_refused(serving, engines):
    client = serving(timeout=0.05)
    engines["toy"].may_go_on.clear()
    response = client.post("/api/toy", json={"texts": ["a"]})
    engines["toy"].may_go_on.set()
    assert response.status_code == 503 and "more than 0.05 seconds" in response.json()["error"]


def test_metrics_count_requests_texts_and_batches(serving):
    client = serving()
    client.post("/api/toy", json={"texts": ["a", "b"]})
    lines = client.get("/metrics").text.splitlines()
    assert 'recurrent_text_texts_total{model="toy"} 2.0' in lines
    assert 'recurrent_text_model_version{model="toy"} 1.0' in lines
    request = 'recurrent_text_requests_total{model="toy",route="/api/{name}",status="200"} 1.0'
    assert request in lines


@pytest.mark.parametrize("shown", [False, True])
def test_the_log_has_a_line_a_request_and_texts_only_if_asked(serving, caplog, shown):
    client = serving(log_texts=shown)
    with caplog.at_level("INFO", logger="recurrent_text_suite.server"):
        client.post("/api/toy", json={"texts": ["private"]}, headers={"x-request-id": "r2"})
    (line,) = (json.loads(each.message) for each in caplog.records if "r2" in each.message)
    assert (line["status"], line["model"], line["texts"]) == (200, "toy", 1)
    assert line.get("content") == (["private"] if shown else None)


def test_pages_of_elsewhere_may_ask_only_if_they_are_named(serving):
    headers = {"origin": "https://example.org"}
    assert "access-control-allow-origin" not in serving().get("/api", headers=headers).headers
    client = serving(cors=("https://example.org",))
    allowed = client.get("/api", headers=headers).headers["access-control-allow-origin"]
    assert allowed == "https://example.org"


def test_the_description_has_an_example_for_every_body(serving):
    paths = serving().get("/openapi.json").json()["paths"]
    bodies = [each["post"]["requestBody"] for each in paths.values() if "post" in each]
    assert len(bodies) == 6
    assert all("example" in each["content"]["application/json"] for each in bodies)
    (name,) = paths["/api/{name}"]["post"]["parameters"]
    assert name["schema"]["enum"] == ["toy", "teller"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["texts", "instances", "inputs", "options", "signature_name", "outputs"])


@given(
    body=st.binary(max_size=60) | st.dictionaries(KEYS, JSON, max_size=3).map(json.dumps),
    path=st.sampled_from(
        ["/api/toy", "/api/teller/stream", "/v1/models/toy:predict", "/v2/models/toy/infer"]
    ),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
def test_no_body_is_a_fault_of_the_server(serving, body, path):
    if not hasattr(serving, "client"):
        serving.client = serving(max_texts=8)
    response = serving.client.post(path, content=body)
    assert response.status_code < 500, response.text
