"""``edgeemo paths``."""

from __future__ import annotations

import click

from .. import native_paths
from . import console, options


@click.command("paths")
@options.json
def paths_command(as_json: bool) -> None:
    """Show the folders of the header, library, pkg-config file and CMake package for C and C++.

    \b
    Example:
      edgeemo paths --json
      code='from edgeemo.native_paths import paths; print(paths()["pkgconfig"])'
      PKG_CONFIG_PATH=$(python -c "$code") pkg-config --cflags --libs edgeemo
    """
    found = {name: str(path) for name, path in native_paths.paths().items()}
    if as_json:
        console.print_json(found)
    else:
        for name, path in found.items():
            click.echo(f"{name:<10} {path}")
