"""The kernel's doors, closed: limits, the list of allowed system calls, no file and no network.

Layers of a child on Linux: what each covers, what it does not, and the test of `tests/execution` that attacks
it with the others off.

- **seccomp filter** (`child_filter`): the boundary. Everything is denied but about 60 calls that compute,
  tell the time and write to descriptors that are already open. No path, no socket, no new process or
  thread, no signal to others. Calls no honest program makes end the process at once. It does not see
  *contents*: what is written to the child's own result socket is judged by the strict decoder of the
  parent (`frames.py`). `test_lockdown.test_the_filter_alone`,
  `test_hostile.test_the_whole_table_without_the_policy`
- **base filter** (`launcher_filter`): a launcher itself opens no path and no socket, and starts no program;
  it can fork, wait, and end its own children. `test_lockdown.test_the_base_filter_of_a_launcher_alone`
- **Landlock** (`landlock`): no file and no TCP port through any call that the filter might miss. It has no
  rule for `stat`, `chmod` or `chdir`, so it is a second layer only.
  `test_lockdown.test_landlock_alone_stops_files`, `test_lockdown.test_landlock_alone_stops_tcp`
- **rlimits** (`limit_child`): processor time, address space, no file growth, no core, one descriptor. They
  do not stop sleeping (the launcher's clock does) and, for root, not process creation (seccomp does).
  `test_lockdown.test_rlimits_alone`, `test_lockdown.test_the_processor_limit_alone`,
  `test_runner.test_a_program_that_sleeps_is_ended_by_the_clock`
- **another user** (`drop_root`): a launcher started by root becomes nobody, so what leaks owns nothing. It
  does nothing where the program was not started by root.
  `test_lockdown.test_root_becomes_nobody_and_cannot_come_back`
- **no new rights, no looking in** (`close_launcher`): no set-user-id program gives rights back, and other
  processes of the same user cannot read the launcher's memory.
  `test_lockdown.test_closing_a_launcher_alone_hides_its_memory`
- **no orphans** (`die_with_parent`): a child ends with its launcher, a launcher with its socket.
  `test_lockdown.test_a_child_ends_with_its_parent`,
  `test_endings.test_a_killed_caller_takes_everything_with_it`
- **clean start**: the launcher is started by exec with five environment entries and one descriptor.
  `test_lockdown.test_a_clean_start_leaves_one_descriptor_and_five_words`
- **strict decoding** (`frames.py`): a child's bytes are bounded in size and depth, and every word and number
  in them is of a closed form. It cannot tell an answer from one the program forged for itself.
  `test_containment.test_a_forged_frame_breaks_the_protocol`
- **a child for each program**: nothing of a neighbour is there. Programs that provably change only their own
  names (`pure.py`) may share a child (`batch.py`); what stands between those is that proof, a share of
  their answers checked against a run alone, and for the rest of the system the same layers as above.
  `test_hostile.test_a_poisoned_neighbour_changes_nothing`,
  `test_batch.test_no_pure_program_changes_its_neighbours`

Kernel faults behind the allowed calls remain. Linux only; everything here is called in the launcher.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
from dataclasses import dataclass, field

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_CLONE_THREAD = 0x00010000
_PROT_EXEC = 0x4
_NOBODY = 65534

_ALLOWED = [
    "read", "write", "close", "lseek", "fstat", "readv", "writev", "munmap", "mremap", "brk", "madvise",
    "membarrier", "futex", "set_robust_list", "get_robust_list", "rseq", "sched_yield",
    "sched_getaffinity", "getcpu", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    "rt_sigpending", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday",
    "time", "times", "getrusage", "poll", "ppoll", "select", "pselect6", "restart_syscall", "getrandom",
    "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getpgrp", "uname", "exit",
    "exit_group",
]  # fmt: skip

# calls that take a path: an ordinary error, as programs guard against missing files
_PATHS = [
    "open", "openat", "openat2", "creat", "stat", "lstat", "newfstatat", "statx", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "chdir",
    "fchdir", "getcwd", "truncate", "mknod", "mknodat", "utime", "utimes", "utimensat", "futimesat",
    "statfs", "getxattr", "lgetxattr", "setxattr", "lsetxattr", "listxattr", "removexattr",
    "inotify_add_watch",
]  # fmt: skip

# calls no honest program makes: the process ends and the run is labelled
_DEADLY = [
    "fork", "vfork", "execve", "execveat", "socket", "socketpair", "connect", "bind", "listen", "accept",
    "accept4", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "sendto", "recvfrom", "shutdown", "kill",
    "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal",
    "pidfd_getfd", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "bpf",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "unshare", "setns", "mount", "umount2",
    "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "mount_setattr",
    "keyctl", "add_key", "request_key", "memfd_create", "memfd_secret", "userfaultfd", "perf_event_open",
    "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "rename", "renameat",
    "renameat2", "link", "linkat", "symlink", "symlinkat", "personality", "seccomp", "init_module",
    "finit_module", "delete_module", "kexec_load", "reboot", "swapon", "swapoff", "setuid", "setgid",
    "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset", "shmget", "shmat", "shmctl",
    "msgget", "semget", "mq_open", "name_to_handle_at", "open_by_handle_at", "quotactl", "acct", "syslog",
    "iopl", "ioperm", "modify_ldt", "settimeofday", "clock_settime", "adjtimex", "sethostname",
    "setdomainname", "vhangup",
]  # fmt: skip

# what the launcher needs beyond a child: fork, watch, end, and talk over its one socket
_LAUNCHER = [
    "fork", "vfork", "wait4", "waitid", "pidfd_open", "pidfd_send_signal", "sendmsg", "recvmsg", "sendto",
    "recvfrom", "prctl", "seccomp", "setrlimit", "getrlimit", "prlimit64", "close_range", "dup", "dup2",
    "dup3", "setitimer", "pread64", "fcntl",
]  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


@dataclass
class Locks:
    """What of the lockdown could be had: the compiled filters, and a sentence for each missing layer."""

    launcher_filter: bytes = b""
    child_filter: bytes = b""
    missing: list[str] = field(default_factory=list)


def prctl(option: int, value: int, pointer: object = None) -> None:
    """Call prctl; OSError when the kernel refuses."""
    if _libc.prctl(option, value, pointer, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def compile_filters() -> Locks:
    """Compile both filters once; without libseccomp the result has none and says so."""
    try:
        import pyseccomp

        return Locks(_compiled(pyseccomp, launcher=True), _compiled(pyseccomp, launcher=False))
    except Exception as error:
        return Locks(missing=[f"No system call filter: {type(error).__name__}: {error}."])


def _compiled(sec, launcher: bool) -> bytes:
    """Return the BPF bytes of one filter (`launcher`: what a launcher itself may do)."""
    rules = sec.SyscallFilter(sec.ERRNO(errno.EPERM))
    with contextlib.suppress(Exception):
        # a tree instead of a list: the kernel reads it for every call number when a child loads it
        rules.set_attr(sec.Attr.CTL_OPTIMIZE, 2)

    def add(action: int, names: list[str], *conditions) -> None:
        for name in names:
            # a name this architecture does not have is denied by the default
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                rules.add_rule(action, name, *conditions)

    no_exec = sec.Arg(2, sec.MASKED_EQ, _PROT_EXEC, 0)
    a_thread = sec.Arg(0, sec.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)
    a_process = sec.Arg(0, sec.MASKED_EQ, _CLONE_THREAD, 0)
    add(sec.ALLOW, _ALLOWED)
    add(sec.ALLOW, ["mmap", "mprotect"], no_exec)
    add(sec.ERRNO(errno.EACCES), _PATHS)
    add(sec.ERRNO(errno.ENOSYS), ["clone3"])
    add(sec.ERRNO(errno.EAGAIN), ["clone"], a_thread)
    if launcher:
        add(sec.ALLOW, _LAUNCHER)
        add(sec.ALLOW, ["clone"], a_process)
    else:
        add(sec.KILL_PROCESS, _DEADLY)
        add(sec.KILL_PROCESS, ["clone"], a_process)
    descriptor = os.memfd_create("filter")
    with os.fdopen(descriptor, "r+b") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def load_filter(code: bytes) -> None:
    """Put a compiled filter over this process; it can never be taken off."""
    program = _Filter(len(code) // 8, code)
    prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program))


def load_landlock() -> str:
    """Import what `landlock` needs; return what is missing, or ''."""
    try:
        from py_landlock import Landlock

        Landlock(strict=False).abi_version  # noqa: B018
    except Exception as error:
        return f"No Landlock: {type(error).__name__}: {error}."
    return ""


def landlock() -> str:
    """Forbid every file and TCP port for this process and its children; return what is missing, or ''."""
    try:
        from py_landlock import Landlock

        Landlock(strict=False).apply()
    except Exception as error:
        return f"No Landlock: {type(error).__name__}: {error}."
    return ""


def drop_root() -> None:
    """Become nobody where this process is root and may change; else stay."""
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def close_launcher() -> None:
    """Forbid new privileges and looking into this process."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    prctl(_PR_SET_DUMPABLE, 0)


def die_with_parent(parent: int) -> None:
    """End with the launcher `parent`, also if it is gone already."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(71)


def limit_child(cpu_s: float, address_space: int, descriptors: int) -> None:
    """Set the limits of one program: processor seconds, bytes of address space, open descriptors."""
    whole = max(1, -int(-cpu_s // 1))
    # the interval timer knows fractions; the limit behind it kills and cannot be caught, moved or ignored
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole))
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    for name in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC, resource.RLIMIT_MEMLOCK):
        resource.setrlimit(name, (0, 0))
