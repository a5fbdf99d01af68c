"""What the compiler said, and statements over exact metrics."""

from runner.analysis.claims.claims import claim_results
from runner.analysis.model import Estimate
from runner.kinds.sources.build import escapes
from runner.spec.experiment import Experiment

SAID = """./article.go:10:7: can inline init.func1
./article.go:11:3: moved to heap: buf
./article.go:11:13: make([]byte, 64) escapes to heap
./main.go:5:6: inlining call to f
"""


def test_variables_moved_to_the_heap_are_counted_by_name():
    numbers = escapes(SAID)
    assert numbers["build.moved_to_heap.buf"] == 1
    assert numbers["build.escapes"] == 2
    assert numbers["build.inlined"] == numbers["build.can_inline"] == 1


def test_statement_over_exact_metrics_needs_one_block():
    experiment = Experiment.model_validate(
        {
            "metrics": {"size": {"from": "build.size", "kind": "exact"}},
            "claims": [{"id": "1", "quote": "small", "expect": "size < 1MB"}],
        }
    )
    exact = Estimate("size", "B", {}, None, (2e6,), 1, 2e6, (2e6, 2e6), 1.0, exact=True)
    (found,) = claim_results(experiment, [exact], [], {})
    assert found.verdict == "contradicted"
    sampled = Estimate("size", "B", {}, None, (2e6,), 1, 2e6, None, None, "")
    (found,) = claim_results(experiment, [sampled], [], {})
    assert found.verdict == "not measured"
