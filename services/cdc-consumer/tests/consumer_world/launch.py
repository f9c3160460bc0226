"""Runs the consumer's composition root with the topics given as JSON: the topic set is no setting in production."""

import json
import sys

from cdc_consumer.main import serve
from cdc_consumer.settings import ConsumerSettings
from cdc_consumer.topics import Kind, LandedTopics

given = json.loads(sys.argv[1])
topics = LandedTopics({name: Kind(kind) for name, kind in given["kinds"].items()}, frozenset(given["captured"]))
sys.exit(serve(ConsumerSettings.load(), topics))
