"""Processes that are measured, each alone on one core, and what is said between them and us: a line of JSON at a time."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def _cores() -> Sequence[int]:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux; elsewhere nothing is pinned
    return sorted(affinity(0)) if affinity else [0]


_ALL = _cores()
LOAD, MEASURED = _ALL[0], _ALL[-1]


def pin(core: int) -> None:
    """This process and its threads run on this core from now on."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


class Child:
    """`function` of `module` with `arguments`, in a process of its own on the measured core."""

    def __init__(self, module: str, function: str, **arguments: Any) -> None:
        command = [sys.executable, "-m", "bench.cores", module, function, json.dumps(arguments)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def hear(self) -> Any:
        """The next thing it says; RuntimeError if it ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the measured process ended with {self._process.wait()}")
        return json.loads(line)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        """It ends when nobody listens to it any more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def alone(module: str, function: str, **arguments: Any) -> Any:
    """What `function` says, run alone on the measured core."""
    with Child(module, function, **arguments) as child:
        return child.hear()


def say(value: object) -> None:
    """To whoever started this process."""
    print(json.dumps(value), flush=True)


def wait_for_end() -> None:
    """Returns when whoever started this process has heard enough."""
    sys.stdin.read()


if __name__ == "__main__":
    pin(MEASURED)
    getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(**json.loads(sys.argv[3]))
