"""The admin socket: the daemon's side, the client's side, and the model of what status shows."""
