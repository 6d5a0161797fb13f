"""The command line. One module per command group; each command is a row of `COMMANDS` in `server.__main__`.

A command returns its exit code: 0 done, 1 done and the answer is no, 2 it could not start (one clear line says why).
"""


def counted(n: int, one: str, many: str) -> str:
    """So many, in words that fit: "1 delivery waits", "2 deliveries wait"."""
    return f"{n} {one if n == 1 else many}"
