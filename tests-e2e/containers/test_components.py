"""Single components as they ship, provisioned by the same code as everywhere."""

import secrets
from collections.abc import Iterator

import httpx
import obstore
import psycopg
import pytest
from confluent_kafka import Producer
from obstore.exceptions import AlreadyExistsError, GenericError, PermissionDeniedError
from obstore.store import S3Store
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.network import Network

from bank_common import names
from bankctl.model import connector_config, platform_file
from bankctl.provision import buckets, migrations, topics
from bankctl.provision.steps import BANK_ROLES, migrations_folder
from harness.components import Broker, Connect, ObjectStore
from harness.kafka_oracle import read_all
from harness.stack_driver import ROOT

pytestmark = [pytest.mark.container, pytest.mark.timeout(240)]
PLATFORM = platform_file.load(ROOT / "infra" / "platform.toml")
POSTGRES = f"postgres:{PLATFORM.versions['postgres_image']}-trixie"


def test_the_migrations_make_the_bank_on_the_images_postgres() -> None:
    password = secrets.token_urlsafe(16)
    container = PostgresContainer(POSTGRES, username="postgres", password=password, dbname=names.DATABASE, driver=None)
    with container.with_command("postgres -c wal_level=logical -c fsync=off") as server:
        dsn = server.get_connection_url(driver=None)
        files = [file.name for file in sorted(migrations_folder(ROOT).glob("*.sql"))]
        assert list(migrations.migrate(dsn, migrations_folder(ROOT))) == files
        assert migrations.migrate(dsn, migrations_folder(ROOT)) == ()
        migrations.set_passwords(dsn, [(role, secrets.token_urlsafe(16)) for role in BANK_ROLES])
        with psycopg.connect(dsn) as connection:
            published = connection.execute(
                "select tablename from pg_publication_tables where pubname = %s", (names.PUBLICATION,)
            ).fetchall()
            version = connection.info.server_version
    assert {name for (name,) in published} >= {table.name for table in names.TABLES}
    assert version // 10_000 == int(PLATFORM.versions["postgres_image"])


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


@pytest.fixture(scope="module")
def broker(network: Network) -> Iterator[Broker]:
    with Broker().with_network(network).with_network_aliases("kafka") as running:
        yield running


def test_the_broker_has_every_topic_and_shows_committed_records_only(broker: Broker) -> None:
    required = topics.required()
    assert set(topics.ensure(broker.bootstrap_servers, required)) == {topic.name for topic in required}
    assert topics.ensure(broker.bootstrap_servers, required) == ()
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": "test"})
    producer.init_transactions(30)
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(names.DEAD_LETTERS_TOPIC, value)
        producer.flush(30)
        end(30)
    read = [message.value() for message in read_all(broker.bootstrap_servers, names.DEAD_LETTERS_TOPIC)]
    assert read == [b"committed"]


def test_connect_has_the_connector_and_takes_its_configuration(broker: Broker, network: Network) -> None:
    config = connector_config.config(PLATFORM)
    with Connect().with_network(network) as worker, httpx.Client(base_url=worker.url, timeout=60) as client:
        plugins = {plugin["class"]: plugin for plugin in client.get("/connector-plugins").json()}
        answer = client.put(
            f"/connector-plugins/{config['connector.class']}/config/validate", json=config | {"name": "validated"}
        )
    assert plugins[config["connector.class"]]["version"] == "3.7.0.Final"
    errors = {
        entry["value"]["name"]: entry["value"]["errors"]
        for entry in answer.raise_for_status().json()["configs"]
        if entry["value"]["errors"]
    }
    # What can't be there: the database that the worker's environment would name.
    assert set(errors) <= {"database.hostname", "database.port", "database.password"}, errors


def test_the_store_creates_only_once_and_gives_each_user_the_least() -> None:
    root, password = secrets.token_hex(8), secrets.token_urlsafe(16)
    consumer, loader = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    with ObjectStore(root, password) as store:
        users = (buckets.consumer_user("consumer", consumer), buckets.loader_user("loader", loader))
        for _ in range(2):
            buckets.ensure(buckets.StoreAdmin(store.address, root, password), users, ())
        writing, reading = (
            S3Store(
                names.BUCKET,
                endpoint=f"http://{store.address}",
                access_key_id=user,
                secret_access_key=secret,
                region="us-east-1",
                client_options={"allow_http": True},
            )
            for user, secret in (("consumer", consumer), ("loader", loader))
        )
        obstore.put(writing, "segment", b"first", mode="create", use_multipart=False)
        with pytest.raises(AlreadyExistsError):
            obstore.put(writing, "segment", b"second", mode="create", use_multipart=False)
        assert bytes(obstore.get(reading, "segment").bytes()) == b"first"
        with pytest.raises(PermissionDeniedError):
            obstore.put(reading, "other", b"x", use_multipart=False)
        with pytest.raises(GenericError, match="AccessDenied"):
            obstore.delete(writing, "segment")
        assert [entry["path"] for entry in obstore.list(reading).collect()] == ["segment"]
