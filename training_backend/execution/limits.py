"""What a program may use; everything past it ends the program, never the caller."""

from __future__ import annotations

from dataclasses import dataclass

# The text of one program, in UTF-8 bytes. The longest recorded program of the field is under 5 KiB.
MAX_SOURCE_BYTES = 64 * 1024
# What may come back for one program, in bytes; a child that sends more is ended.
MAX_RESULT_BYTES = 256 * 1024
MAX_TRACE_BYTES = 4 * 1024 * 1024
# Printed characters after which a program is ended; the first `Limits.stdout_chars` of them are kept.
MAX_PRINTED_CHARS = 8 * 1024 * 1024
# A trace ends here and the program runs on without it.
MAX_TRACE_STEPS = 10_000
MAX_TRACE_RECORD_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Limits of one program.

    `cpu_s` is its own processor time: what other processes do does not count. `wall_s` is only the backstop
    for a program that sleeps or waits. `memory_mib` is what it may take beyond the loaded interpreter.
    """

    cpu_s: float = 3.0
    wall_s: float = 6.0
    memory_mib: int = 256
    stdout_chars: int = 16384
    seed: int = 0


# A traced program is about a hundred times slower, and a person is watching only one.
TRACE_LIMITS = Limits(cpu_s=8.0, wall_s=12.0, memory_mib=384, stdout_chars=65536)
