"""Rolling protocols as data; one protocol, one TOML file."""
