"""What edgeemo is measured beside: measured only, never shipped; ``make peers`` installs it."""
