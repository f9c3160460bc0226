"""Start and end of the program, its ports, TLS through the real connector."""

import datetime as dt
import ipaddress
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from loads import FENCE, LEDGER, LoadingServer, run_all
from snowflake.connector.errors import Error
from support import Server, free_port


def test_sigterm_ends_it_cleanly_and_keeps_what_was_committed(loading: LoadingServer) -> None:
    loading.session().execute(LEDGER)
    began = time.monotonic()
    assert loading.stop() == 0
    assert time.monotonic() - began < 10
    loading.start()
    assert loading.counts() == (0, 1, 0)


def test_sigterm_ends_it_while_statements_run_and_wait(loading: LoadingServer) -> None:
    holder, waiter, busy = loading.session(), loading.session(), loading.session()
    run_all(holder, "begin", FENCE)

    def until_it_ends(cursor: object, statement: str) -> None:
        with pytest.raises((Error, OSError)):
            cursor.execute(statement)  # type: ignore[attr-defined]

    endless = "select count(*) from range(4000000) a, range(4000000) b"
    threads = [threading.Thread(target=until_it_ends, args=pair) for pair in ((waiter, FENCE), (busy, endless))]
    for thread in threads:
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    began = time.monotonic()
    assert loading.stop() == 0
    assert time.monotonic() - began < 10
    for thread in threads:
        thread.join(60)
    loading.start()
    assert loading.counts() == (0, 0, 0)


def _refused(server: Server, *options: object) -> str:
    process = server.launch(*options)
    assert process.wait(60) == 1
    return server.log.read_text()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        said = _refused(server)
    assert f"can't listen on 127.0.0.1:{server.port}" in said
    assert "Traceback" not in said


def test_a_tls_port_without_a_certificate(tmp_path: Path) -> None:
    assert "--tls-cert" in _refused(Server(tmp_path), "--tls-port", free_port())


def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    said = _refused(Server(tmp_path), "--tls-port", free_port(), "--tls-cert", "/no/cert", "--tls-key", "/no/key")
    assert "/no/cert" in said
    assert "Traceback" not in said


def test_a_users_file_that_can_not_be_used(tmp_path: Path) -> None:
    server = Server(tmp_path)
    (tmp_path / "users.json").write_text("{")
    said = _refused(server)
    assert "users.json can't be used" in said
    assert "Traceback" not in said


def test_a_second_server_on_the_same_folder(loading: LoadingServer) -> None:
    port, first = loading.port, loading.process
    loading.port = free_port()
    assert "can't be opened (is another server using them?)" in _refused(loading)
    loading.port, loading.process = port, first
    assert loading.counts() == (0, 0, 0)


def test_the_version() -> None:
    command = [sys.executable, "-m", "snowflake_local", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.startswith("snowflake-local ")


def test_tls_beside_http_through_the_real_connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = _certificate(tmp_path)
    tls_port = free_port()
    server = LoadingServer(tmp_path, "--tls-port", tls_port, "--tls-cert", certificate, "--tls-key", key).prepare()
    try:
        with pytest.raises(Error):  # nobody vouches for it yet
            server.connect(port=tls_port, protocol="https", login_timeout=3)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        cursor = server.session(port=tls_port, protocol="https")
        run_all(cursor, "begin", LEDGER, "commit")
        file = tmp_path / "f.parquet"
        put = cursor.execute(f"put file://{file} @st/tls/ auto_compress=false overwrite=true").fetchall()
        assert put[0][6] == "UPLOADED"
        assert len(cursor.execute("list @st/tls/").fetchall()) == 1
        assert server.counts() == (0, 1, 0)  # the same warehouse over HTTP
        assert server.stop() == 0
    finally:
        server.end()


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "snowflake-local test")])
    now = dt.datetime.now(dt.UTC)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(addresses, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "cert.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    files[1].write_bytes(private)
    return files
