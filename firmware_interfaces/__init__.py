"""Bytes from hardware in, observations out; commands in, bytes to hardware out."""
