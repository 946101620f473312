"""The receiving end of tunnels: devices, ports, and segments that fit through."""
