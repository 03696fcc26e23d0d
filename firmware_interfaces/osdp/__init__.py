"""OSDP v2 readers over RS-485, with the secure channel enforced."""
