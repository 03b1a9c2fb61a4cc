"""The command line: a verb a module, and what starts and ends a command."""
