"""`lintas agreements`: documents as files, and as what the database has of them."""

import typer

from app.commands import checking, documents, simulating

group = typer.Typer(no_args_is_help=True, help="Perjanjian dan alur dasar / agreements and baselines.")
checking.add_to(group)
documents.add_to(group)
simulating.add_to(group)
