"""The configuration: one TOML file, read into frozen structs."""

from rolltrack.config.loader import broker_address, config_to_toml, find_config, load_config
from rolltrack.config.settings import (
    ID_PATTERN,
    RESERVED_ROLLER_IDS,
    ArchiveConfig,
    BleConfig,
    Config,
    MqttConfig,
    PhoneConfig,
    RecordConfig,
    RollerConfig,
    SessionConfig,
    StoreConfig,
)

__all__ = [
    "ID_PATTERN",
    "RESERVED_ROLLER_IDS",
    "ArchiveConfig",
    "BleConfig",
    "Config",
    "MqttConfig",
    "PhoneConfig",
    "RecordConfig",
    "RollerConfig",
    "SessionConfig",
    "StoreConfig",
    "broker_address",
    "config_to_toml",
    "find_config",
    "load_config",
]
