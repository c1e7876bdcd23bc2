"""The brokers we start ourselves: reachable from here only, and gone when we are."""

import asyncio
import contextlib
import os
import signal
import socket
import sys

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from support import brokers
from support.mqtt_listener import listening

from rolltrack.broker import embedded_broker, mosquitto
from rolltrack.broker.amqtt_process import HardenedBroker, configuration
from rolltrack.errors import BrokerError

pytestmark = pytest.mark.broker


@pytest.fixture(params=brokers.BOTH)
def kind(request):
    brokers.skip_without(request.param)
    return request.param


@contextlib.asynccontextmanager
async def publisher(port, will=None, **options):
    """A connected paho client; leaves as a crash would if the test says so."""
    loop = asyncio.get_running_loop()
    answered = loop.create_future()
    client = Client(CallbackAPIVersion.VERSION2, **options)
    client.on_connect = lambda *args: loop.call_soon_threadsafe(answered.set_result, args[3])
    if will:
        client.will_set(*will)
    client.connect_async(brokers.HOST, port)
    client.loop_start()
    try:
        async with asyncio.timeout(20):
            client.answer = await answered
        yield client
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


async def refuses_connections(port):
    try:
        _, writer = await asyncio.open_connection(brokers.HOST, port)
    except OSError:
        return True
    writer.close()
    return False


async def test_a_message_goes_through(kind):
    async with (
        embedded_broker(kind) as broker,
        listening(broker.port) as listener,
        publisher(broker.port) as client,
    ):
        assert broker.kind == kind
        client.publish("rolltrack/hello", b"world", 1)
        assert (await listener.until_topic("/hello")).body == b"world"
    assert await refuses_connections(broker.port)


async def test_it_listens_on_loopback_only(kind):
    async with embedded_broker(kind) as broker:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing; picks our outward address
            outward = probe.getsockname()[0]
        with socket.socket() as client:
            if not outward.startswith("127."):
                assert client.connect_ex((outward, broker.port)) != 0


async def test_a_killed_broker_is_started_again_on_its_port(kind):
    async with embedded_broker(kind) as broker:
        await brokers.kill_hard(broker.process)
        async with listening(broker.port), publisher(broker.port) as client:
            assert not client.answer.is_failure


async def test_ctrl_c_in_the_terminal_does_not_reach_it(kind):
    async with embedded_broker(kind) as broker:
        assert os.getpgid(broker.process.pid) != os.getpgrp()


@pytest.mark.process
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
async def test_it_ends_with_the_process_that_started_it(kind, sign):
    program = (
        "import asyncio, sys\n"
        "from rolltrack.broker import embedded_broker\n"
        "async def main():\n"
        "    async with embedded_broker(sys.argv[1]) as broker:\n"
        "        print(broker.port, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, kind, stdout=asyncio.subprocess.PIPE
    )
    port = int(await owner.stdout.readline())
    async with listening(port) as listener:
        owner.send_signal(sign)
        await owner.wait()
        await listener.disconnected.wait()
    async with asyncio.timeout(20):
        while not await refuses_connections(port):
            pass  # its clients are gone already, its listener goes next


async def test_a_port_in_use_is_one_clear_error(kind):
    with socket.socket() as taken:
        taken.bind((brokers.HOST, 0))
        with pytest.raises(BrokerError, match="ended at once"):
            async with embedded_broker(kind, port=taken.getsockname()[1]):
                pass


@pytest.fixture
def without_mosquitto(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mosquitto, "FOLDERS", ())


async def test_without_any_broker_it_says_what_to_install(without_mosquitto, monkeypatch):
    monkeypatch.setitem(sys.modules, "amqtt", None)
    with pytest.raises(BrokerError, match=r"Install mosquitto"):
        async with embedded_broker():
            pass


async def test_without_mosquitto_it_takes_amqtt(without_mosquitto):
    async with embedded_broker() as broker:
        assert broker.kind == "amqtt"


async def test_retained_messages_reach_only_those_who_subscribed(kind):
    async with (
        embedded_broker(kind) as broker,
        listening(broker.port, "rolltrack/bob/#") as bob,
        publisher(broker.port) as service,
    ):
        service.publish("rolltrack/bob/summary", b"private", 1, retain=True)
        await bob.until_topic("/summary")
        async with listening(broker.port, "rolltrack/eve/#") as eve:
            service.publish("rolltrack/eve/done", b"", 1)
            await eve.until_topic("/done")
    assert [message.topic for message in eve.messages] == ["rolltrack/eve/done"]


@pytest.mark.filterwarnings("ignore:The 'acl' option is deprecated:DeprecationWarning")
async def test_amqtt_holds_a_last_will_to_the_same_rules_as_other_messages():
    port = brokers.free_port()
    settings = configuration(brokers.HOST, port)
    settings["plugins"]["amqtt.plugins.topic_checking.TopicAccessControlListPlugin"] = {
        "acl": {"anonymous": ["#"]},
        "publish_acl": {"anonymous": ["allowed"]},
    }
    broker = HardenedBroker(settings)
    await broker.start()
    async with listening(port, "#") as listener:
        for topic in ("prohibited", "allowed"):
            async with publisher(port, will=(topic, b"gone", 1)) as client:
                client.socket().shutdown(socket.SHUT_RDWR)
                await listener.until_topic("allowed") if topic == "allowed" else None
    await broker.shutdown()
    assert [message.topic for message in listener.messages] == ["allowed"]


async def test_amqtt_answers_a_client_that_speaks_mqtt_5():
    async with (
        embedded_broker("amqtt") as broker,
        publisher(broker.port, protocol=MQTTv5) as client,
    ):
        assert client.answer.is_failure


def test_amqtt_is_never_bound_where_others_can_reach_it():
    with pytest.raises(ValueError, match="not a loopback address"):
        configuration("0.0.0.0", 1883)
