"""Serial bar-code and QR scanners."""
