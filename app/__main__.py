"""Where `lintas` begins: who thinks better of it while the rest is still being read ends it at once and quietly."""

import signal


def main() -> None:
    """Read the rest of the service, and run the command line."""
    # As long as nothing is begun that would have to be ended, an interrupt ends the process as the system has it.
    undisturbed = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if undisturbed:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from app import cli  # noqa: PLC0415 - this is what takes long

    if undisturbed:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()


if __name__ == "__main__":
    main()
