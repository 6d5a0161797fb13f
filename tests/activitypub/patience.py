"""How the generated tests here run: a busy machine is slow, which says nothing about the code."""

from hypothesis import HealthCheck, settings

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
