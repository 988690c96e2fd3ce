"""Peers that edgeemo is compared with: never shipped; ``make peers`` installs them."""
