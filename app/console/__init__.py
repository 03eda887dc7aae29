"""The console: Lintas in a browser, for agencies without a system and for the people who watch."""
