"""Man pages and completion scripts, as they lie below /usr/share. See README.md beside this."""
