"""The air between virtual radios: bumble's local link and controller, plus what real ones do.

bumble 0.0.236 leaves out what a unit test of GATT does not need. What is added here: connections
keep their own address, a connection attempt can be cancelled, and a link whose peer has vanished
times out.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from bumble import hci, ll
from bumble.controller import Controller
from bumble.link import LocalLink

if TYPE_CHECKING:
    from bumble.controller import Connection
    from bumble.core import PhysicalTransport
    from bumble.transport.common import TransportSink

SUPERVISION_S = 0.5
LINK_PAYLOAD_BYTES = 251
"""Data length of Bluetooth 4.2 and later; bumble's default of 27 splits every packet."""

_public_addresses = (
    hci.Address(n.to_bytes(6, "little"), hci.Address.PUBLIC_DEVICE_ADDRESS) for n in count(1)
)


class SimLink(LocalLink):
    """The ether: what one controller sends, the addressed one hears."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # bumble left this one untyped

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        """Deliver data from the address its connection uses; bumble always names the random one."""
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is not None and receiver is not None:
            asyncio.get_running_loop().call_soon(
                receiver.on_link_acl_data, connection.self_address, transport, data
            )

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Deliver a control packet; one to a radio that is gone is lost, as in the air."""
        if self.find_le_controller(receiver_address) is not None:
            super().send_ll_control_pdu(sender_address, receiver_address, packet)

    def congested(self, address: hci.Address) -> bool:
        """Whether the radio with this address cannot take more data at the moment."""
        receiver = self.find_le_controller(address)
        return isinstance(receiver, SimController) and receiver.congested


class SimController(Controller):
    """A virtual radio with a public address of its own.

    Attributes:
        congested: its host does not keep up; senders should hold back.
    """

    def __init__(
        self,
        name: str,
        link: SimLink,
        *,
        host_source: object = None,
        host: TransportSink | None = None,
    ) -> None:
        super().__init__(
            name,
            host_source=host_source,
            host_sink=host,
            link=link,
            public_address=next(_public_addresses),
        )
        self.le_acl_data_packet_length = LINK_PAYLOAD_BYTES
        self.supported_max_tx_octets = LINK_PAYLOAD_BYTES
        self.supported_max_rx_octets = LINK_PAYLOAD_BYTES
        self.congested = False
        self._suspects: set[hci.Address] = set()
        self._watch = asyncio.get_running_loop().call_later(SUPERVISION_S, self._supervise)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Really cancel (Vol 4, Part E, 7.8.13); bumble only says so and connects later."""
        pending = self.pending_le_connection
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def lose_links(self) -> None:
        """Out of range: both ends of every connection see a supervision timeout."""
        for connection in list(self.le_connections.values()):
            connection.send_ll_control_pdu(ll.TerminateInd(hci.HCI_CONNECTION_TIMEOUT_ERROR))
            self.on_le_disconnected(connection, hci.HCI_CONNECTION_TIMEOUT_ERROR)

    def switch_off(self) -> None:
        """Leave the air without a word; peers notice by their supervision timeout."""
        self._watch.cancel()
        self.host = None
        self.le_legacy_advertiser.stop()
        for advertising_set in self.advertising_sets.values():
            advertising_set.stop()
        self.link.controllers.discard(self)

    def _supervise(self) -> None:
        """Drop connections whose peer has not known of them at two looks in a row."""
        suspects = {
            address for address, mine in self.le_connections.items() if not self._answered(mine)
        }
        for address in suspects & self._suspects:
            self.on_le_disconnected(self.le_connections[address], hci.HCI_CONNECTION_TIMEOUT_ERROR)
        self._suspects = suspects - self._suspects
        self._watch = asyncio.get_running_loop().call_later(SUPERVISION_S, self._supervise)

    def _answered(self, connection: Connection) -> bool:
        peer = self.link.find_le_controller(connection.peer_address)
        return peer is not None and connection.self_address in peer.le_connections
