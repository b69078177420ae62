"""Curvature of a whole GAN, as a report."""

import pytest

from ldvd_lib.hessian import measure


def test_a_surface_of_one_eigenvector_is_refused_before_anything_is_computed(configs, make_sampler) -> None:
    gan = configs["tgan"].build(seed=1)
    with pytest.raises(ValueError, match="a loss surface needs two eigenvectors: ask for 2 eigenvalues or more, not 1"):
        measure(gan, make_sampler().peek(2).video, k=1, surface=True)


def test_a_report_says_that_values_may_not_lead(configs, make_sampler) -> None:
    gan, videos = configs["tgan"].build(seed=1), make_sampler().peek(2).video
    (few,) = measure(gan, videos, k=2, max_products=10, tolerance=1e-6)
    assert not few.record()["converged"]
    assert "a leading one may be missing" in str(few)
    (enough,) = measure(gan, videos, k=2)
    assert enough.record()["converged"]
    assert "missing" not in str(enough)
