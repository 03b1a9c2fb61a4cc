from types import SimpleNamespace

import pytest

pytest.importorskip("psutil")


def test_a_request_is_lost_only_if_the_server_had_accepted_it():
    from server import Tally, lost

    tally = Tally(answered={"a", "b"}, broken={"c", "d"})
    assert lost(SimpleNamespace(accepted=lambda: {"a", "b", "c"}), tally) == 1


def test_quantiles_are_milliseconds_of_requests_in_order():
    from server import Tally

    tally = Tally(seconds=[0.004, 0.001, 0.003, 0.002])
    assert (tally.quantile(0.5), tally.quantile(0.99)) == (3.0, 4.0)
