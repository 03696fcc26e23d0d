"""How an older store becomes the newest one."""
