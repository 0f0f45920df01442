"""A launcher without its layers, to measure what they cost: only for the benchmark and its programs.

Nothing of the program starts this file. It takes the launcher's own code and leaves out what protects.
"""

from __future__ import annotations

import json
import os
import sys


def main(arguments: list[str]) -> int:
    """Start a launcher whose children have no filter, no limits, no Landlock and no policy."""
    sys.path[:] = json.loads(arguments[3])
    from training_backend.execution import launcher, lockdown, policy

    def only_the_socket(descriptor: int, *_: object) -> None:
        os.dup2(descriptor, 3)

    launcher.close_doors = only_the_socket
    launcher.self_test = lambda *_: []
    lockdown.compile_filters = lockdown.Locks
    lockdown.landlock = lockdown.load_landlock
    lockdown.drop_root = lambda: None
    policy.check = lambda source: None
    return launcher.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
