"""``edgeemo listen``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

import click
from rich.live import Live
from rich.text import Text

from ..recognizer import VoiceRecognizer
from ..sources import AudioSource, Microphone, RawAudio, microphones
from ..types import EmotionResult
from . import console, options, voice

Show = Callable[[EmotionResult, int], None]
_KINDS = ("span", "utterance", "partial")


@click.command("listen")
@click.option("--device", help="The number or part of the name of a microphone; by default the system's.")
@click.option("--list-devices", is_flag=True, help="List the microphones, then stop.")
@click.option(
    "--stdin", "raw", type=click.Choice(list(RawAudio.FORMATS)), help="Read raw samples from standard input."
)
@click.option(
    "--rate", type=click.IntRange(8_000, 192_000), help="Rate in Hz; by default the microphone's own."
)
@click.option("--channels", type=click.IntRange(1, 32), default=1, show_default=True)
@options.seconds
@options.stream_name
@click.option("--bundle", default="voice", show_default=True, help="A shipped bundle's name, or a file.")
@options.runtime
@click.option(
    "--results", type=click.Choice(_KINDS), multiple=True,
    help="A kind of result to show; may be given several times. See above for the default.",
)  # fmt: skip
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object for each result, with the drops so far."
)
def listen_command(
    device: str | None,
    list_devices: bool,
    raw: str | None,
    rate: int | None,
    channels: int,
    seconds: float | None,
    stream_name: str | None,
    bundle: str,
    results: tuple[str, ...],
    as_json: bool,
    **how: Any,
) -> None:
    """Read the emotion that a voice expresses, live, from the microphone or from standard input.

    An utterance is what somebody says between two pauses, a partial is an utterance that still lasts, and a
    span has a fixed length. On a terminal, listen draws partials as live bars and prints each utterance above
    them. Elsewhere, and as JSON, it prints a line for each span and each utterance; "kind" tells them apart.
    --results chooses other kinds.

    listen neither keeps nor sends anything. If the machine is too slow, listen loses blocks of 50 ms and
    counts them in "drops". Ctrl-C stops.

    \b
    Examples:
      edgeemo listen
      edgeemo listen --list-devices
      edgeemo listen --delegate cpu
      edgeemo listen --device headset --source front-door --seconds 60 --json > emotions.jsonl
      edgeemo listen --results utterance --json > utterances.jsonl
      ffmpeg -i film.mkv -f s16le -ar 16000 -ac 1 - | edgeemo listen --stdin s16le --rate 16000
    """
    if list_devices:
        _list(as_json)
        return
    if raw is not None and (rate is None or device is not None):
        raise click.UsageError("Raw samples do not state a rate: give --rate (and no --device).")
    with options.opened(bundle, VoiceRecognizer, **how) as recognizer, ExitStack() as stack:
        if raw is None:  # sound libraries write to stderr, into the bars
            stack.enter_context(console.quiet_libraries())
        source = stack.enter_context(_source(raw, device, rate, channels))
        live = console.out().is_terminal and not as_json
        kinds = results or (("utterance", "partial") if live else ("span", "utterance"))
        stream = recognizer.stream(source.rate_hz, source.channels, results=kinds, source=stream_name)
        show = stack.enter_context(_shown(as_json))
        for chunk, t_ms in source:
            for result in stream.push(chunk, t_ms):
                show(result, source.drops)
            if seconds is not None and t_ms / 1000 + len(chunk) / source.rate_hz >= seconds:
                break
        for result in stream.flush():
            show(result, source.drops)


def _source(raw: str | None, device: str | None, rate: int | None, channels: int) -> AudioSource:
    if raw is not None and rate is not None:
        if sys.stdin is None or sys.stdin.isatty():
            raise click.UsageError("Nothing to read: pipe raw samples in.")
        return RawAudio(sys.stdin.buffer, raw, rate_hz=rate, channels=channels)  # type: ignore[arg-type]
    chosen = int(device) if device is not None and device.isdecimal() else device
    return Microphone(chosen, rate_hz=rate, channels=channels)


@contextmanager
def _shown(as_json: bool) -> Iterator[Show]:
    """Give a function that shows results: as JSON lines, as live bars on a terminal, else as rows."""
    out = console.out()
    if as_json:
        yield lambda result, drops: console.print_json({**result.to_dict(), "drops": drops}, indent=None)
    elif out.is_terminal:
        with Live(voice.bars(None, 0), console=out, auto_refresh=False) as live:

            def show(result: EmotionResult, drops: int) -> None:
                if result.kind == "utterance":
                    out.print(Text(voice.row(result) + voice.note(result)))
                live.update(voice.bars(result, drops), refresh=True)

            yield show
    else:
        print(f"{voice.HEADER}  drops", flush=True)
        yield lambda result, drops: print(f"{voice.row(result)}  {drops:>5}{voice.note(result)}", flush=True)


def _list(as_json: bool) -> None:
    with console.quiet_libraries():
        found = microphones()
    if as_json:
        console.print_json([asdict(device) for device in found])
        return
    for device in found:
        mark = "*" if device.is_default else " "
        print(f"{mark}{device.index:>3}  {device.name}  ({device.channels} channels, {device.rate_hz} Hz)")
    if not found:
        console.say("no microphone; plug one in, and check that you may use it (on Linux: group 'audio')")
