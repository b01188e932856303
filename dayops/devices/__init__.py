"""Commandable devices: what the observatory's control system (OCS) commands, as docs/devices.md tells."""
