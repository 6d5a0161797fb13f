"""The command line. One module per command group; each command is a row of `COMMANDS` in `server.__main__`.

A command returns its exit code: 0 done, 1 done and the answer is no, 2 it could not start (one clear line says why).
"""
