"""What a person meets at the terminal: streams, errors in one line, the name of the program."""
