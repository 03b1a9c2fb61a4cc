"""Pages of findings: shown on the terminal, written as one file of HTML."""
