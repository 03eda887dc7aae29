"""Where `lintas` begins: who thinks better of it while the rest is still being read ends it at once and quietly."""

import gc
import signal


def main() -> None:
    """Read the rest of the service, and run the command line."""
    # As long as nothing is begun that would have to be ended, an interrupt ends the process as the system has it.
    undisturbed = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if undisturbed:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What is read stays to the end: there is no garbage in it to be looked for, now or later.
    gc.disable()
    from app import cli  # noqa: PLC0415 - this is what takes long

    gc.freeze()
    gc.enable()
    if undisturbed:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()


if __name__ == "__main__":
    main()
