"""Consumers of one group (librdkafka), driven by lines on standard input and printing one line an event.

start NAME TOPIC [property=value ...]; stop NAME; quit. Prints "assigned NAME t-0 t-1" (all that it owns now),
"record NAME t-0@5", "stopped NAME", "failed NAME ERROR". A topic that begins with ^ is a regular expression.
"""

import sys
import threading

from confluent_kafka import Consumer

printing = threading.Lock()


def say(*words):
    with printing:
        print(*words, flush=True)


class Member(threading.Thread):
    def __init__(self, bootstrap_servers, group, name, topic, properties):
        super().__init__()
        self.name = name
        self.topic = topic
        self.stopping = threading.Event()
        self.owned = set()
        self.config = {
            "bootstrap.servers": bootstrap_servers,
            "group.id": group,
            "client.id": name,
            "auto.offset.reset": "earliest",
            "auto.commit.interval.ms": 200,
            "topic.metadata.refresh.interval.ms": 1000,
            **properties,
        }

    def tell(self):
        say("assigned", self.name, *sorted(self.owned))

    def run(self):
        try:
            self.consume()
        except Exception as error:  # whatever it is, the test is to hear of it
            say("failed", self.name, error)
        say("stopped", self.name)

    def consume(self):
        consumer = Consumer(self.config)
        incremental = (
            self.config.get("group.protocol") == "consumer"
            or self.config.get("partition.assignment.strategy") == "cooperative-sticky"
        )

        def names(partitions):
            return {f"{one.topic}-{one.partition}" for one in partitions}

        def on_assign(_, partitions):
            self.owned = self.owned | names(partitions) if incremental else names(partitions)
            self.tell()

        def on_revoke(_, partitions):
            self.owned -= names(partitions)
            self.tell()

        consumer.subscribe([self.topic], on_assign=on_assign, on_revoke=on_revoke)
        while not self.stopping.is_set():
            message = consumer.poll(0.1)
            if message is None:
                continue
            if message.error():
                say("failed", self.name, message.error())
                continue
            say("record", self.name, f"{message.topic()}-{message.partition()}@{message.offset()}")
        consumer.close()


def main(bootstrap_servers, group):
    members = {}
    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "start":
            name, topic, *pairs = words
            properties = dict(pair.split("=", 1) for pair in pairs)
            members[name] = Member(bootstrap_servers, group, name, topic, properties)
            members[name].start()
        elif verb == "stop":
            members.pop(words[0]).stopping.set()
        elif verb == "quit":
            break
    for member in members.values():
        member.stopping.set()


main(*sys.argv[1:3])
