"""The command line: ``edgeemo COMMAND``. A command's module is imported only when the command runs."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from .. import __version__
from ..errors import BudgetError, EdgeemoError, LeakError
from . import console

_COMMANDS = {  # name: (module, what it does)
    "predict": ("predict", "Read the emotion that texts, an audio file or a photograph express."),
    "listen": ("listen", "Read the emotion that a voice expresses, live."),
    "watch": ("watch", "Read the emotions that faces express, live."),
    "evaluate": ("evaluate", "Measure a bundle on a manifest, with 95 % intervals."),
    "bench": ("bench", "Time a bundle on this machine, whole and stage by stage."),
    "inspect": ("inspect", "Show what a bundle is, what it knows and how you may use it."),
    "list": ("inspect", "List the bundles that came with edgeemo."),
    "train": ("train", "Train a recipe on your copy of the data."),
    "crossval": ("crossval", "Measure a voice recipe on speakers that the model has not heard."),
    "manifest": ("train", "Write a data set as a manifest."),
    "convert": ("convert", "Convert a Keras model to a verified int8 bundle."),
    "delegates": ("delegates", "Try the accelerators of this machine, and say why one does not work."),
    "paths": ("paths", "Show where the header and the library for C and C++ are."),
    "verify": ("convert", "Compare a bundle with its Keras model."),
    "doctor": ("doctor", "Say why this machine is slow or gives wrong answers, and what to do."),
}

OK, ERROR, CHECK_FAILED, INTERRUPTED, PIPE_CLOSED = 0, 1, 3, 130, 141


class _Commands(click.Group):
    """A group that imports a command's module when the command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f".{_COMMANDS[cmd_name][0]}", __name__)
        found = getattr(module, f"{cmd_name}_command")
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in _COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="edgeemo")
def cli() -> None:
    """Expressed emotion from text, voice and face, on the device: no cloud, no download.

    \b
    Examples:
      edgeemo predict "What a wonderful surprise, thank you!"
      edgeemo predict speech.wav --picture speech.png
      edgeemo predict photo.jpg --picture faces.png
      edgeemo listen
      edgeemo watch
      edgeemo doctor
      edgeemo inspect text
      edgeemo evaluate text dev.csv --leaks drop --pictures pictures/

    \b
    Exit codes:
      0    done
      1    an error: a line on stderr names the error and a remedy
      2    wrong usage
      3    a check failed: a conversion missed its budget, test data leaked, bench is slower
      4    doctor found warnings and no error (3: doctor found an error)
      130  interrupted · 141 the reader of the output went away

    edgeemo works with standard input or standard error closed (<&- 2>&-), but not with standard output
    closed (>&-): send the output to /dev/null instead.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (documented in ``edgeemo --help``)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it at import
    console.prepare()
    if sys.stdout is None:
        console.say("error: standard output is closed. Send the output to a file, or to /dev/null.")
        return ERROR
    try:
        said = list(sys.argv[1:] if arguments is None else arguments)
        with cli.make_context("edgeemo", said, obj=tuple(said)) as context:
            cli.invoke(context)
        console.flush()
        return OK
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except EdgeemoError as error:
        console.fail(error)
        return CHECK_FAILED if isinstance(error, LeakError | BudgetError) else ERROR
    except (KeyboardInterrupt, click.Abort):
        console.say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        console.abandon()
        return PIPE_CLOSED
    except OSError as error:  # standard output on a full disk, for instance
        console.abandon()
        console.say(f"error: {error.strerror or error}. Check free space and rights.")
        return ERROR
