"""The wire: what other servers send us and what we send them.

Bytes in, values out, and back: limits, signatures, proofs, addresses, the one HTTP session. Nothing of
ours is imported here: no facts, no rules, no database. Called by `server`, which decides.
"""
