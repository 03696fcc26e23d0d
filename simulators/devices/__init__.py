"""The far end of every wire: devices that speak the real protocols and keep a truthful log."""
