"""The commands, one file each. A command imports what it needs when it runs: it starts fast."""
