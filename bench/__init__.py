"""Benchmarks: `python -m bench` measures what limits this server, each thing beside its limit in the same run.

A limit is what the same work costs without us: the raw signature check, the bare insert, the bare handler. What is
measured runs alone on one core; whoever puts load on it runs on another one. Nothing here is imported by the server.
"""
